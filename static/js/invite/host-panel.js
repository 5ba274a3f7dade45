// @ts-check
// The host's panel: links and settings of the board, in a dialog.

import { currentBoard, effectiveRole, isHost, onBoardChange } from '../access/access.js';
import { showModal } from '../ui/modal.js';
import { find, template } from '../ui/page.js';
import { pathOf } from '../ui/site.js';
import { Links } from './links.js';
import { useSettings } from './settings.js';

/**
 * @param {{ dialog: HTMLDialogElement, everywhere: HTMLElement }} elements
 * @param {() => number} count The number of photos on the board.
 * @returns {() => void} Opens it.
 */
export function useHostPanel({ dialog, everywhere }, count) {
  const links = new Links(dialog, template('link'));
  const settings = useSettings(dialog, count);
  const boards = /** @type {HTMLAnchorElement} */ (find(dialog, '[data-boards]'));
  boards.href = pathOf('boards');
  find(dialog, '[data-close]').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => links.close());
  onBoardChange(() => {
    if (dialog.open && !isHost()) dialog.close();
  });
  return () => {
    const needsLinks = currentBoard()?.access === 'links';
    for (const part of dialog.querySelectorAll('[data-with-links]')) /** @type {HTMLElement} */ (part).hidden = !needsLinks;
    find(dialog, '[data-heading]').textContent = needsLinks ? 'Share and settings' : 'Board settings';
    boards.hidden = effectiveRole() !== 'admin';
    settings.open();
    if (needsLinks) links.open();
    showModal(dialog, everywhere);
  };
}
