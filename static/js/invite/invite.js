// @ts-check
// The Share button: a popover with the address of the board, its QR code, and the share sheet of the system. Where links are
// needed it opens the host's panel instead: nobody else has a link to hand out.

import { currentBoard, isHost, onBoardChange } from '../access/access.js';
import { copyText } from '../ui/copy.js';
import { notice } from '../ui/notice.js';
import { find } from '../ui/page.js';
import { pageAddress } from '../ui/site.js';
import { invitedAddress, showCodes } from './address.js';

/**
 * @param {{ button: HTMLElement, popover: HTMLElement }} elements
 * @param {() => void} onSettings Opens the host's panel.
 */
export function useInvite({ button, popover }, onSettings) {
  const address = find(popover, '[data-address]');
  const send = find(popover, '[data-send]');
  send.hidden = !('share' in navigator);
  const needsLinks = () => currentBoard()?.access === 'links';
  onBoardChange(() => {
    button.hidden = needsLinks() && !isHost();
    find(popover, '[data-settings]').hidden = !isHost();
    for (const [name, value] of [['popovertarget', popover.id], ['aria-expanded', 'false']]) {
      if (needsLinks()) button.removeAttribute(name);
      else if (!button.hasAttribute(name)) button.setAttribute(name, value);
    }
  });
  button.addEventListener('click', () => needsLinks() && onSettings());
  popover.addEventListener('toggle', (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === 'open';
    button.setAttribute('aria-expanded', String(open));
  });
  popover.addEventListener('beforetoggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== 'open') return;
    address.textContent ||= pageAddress();
    void showAddress(popover, address);
    void showCodes(popover);
  });
  find(popover, '[data-settings]').addEventListener('click', () => {
    popover.hidePopover();
    onSettings();
  });
  find(popover, '[data-copy]').addEventListener('click', async () => {
    const text = address.textContent ?? '';
    notice((await copyText(text, popover)) ? 'Link copied' : `Copy this link: ${text}`);
  });
  send.addEventListener('click', () => {
    // Rejects if the user closes the sheet.
    navigator.share({ title: document.title, url: address.textContent ?? '' }).catch(() => {});
  });
}

/**
 * @param {HTMLElement} popover
 * @param {HTMLElement} address
 */
async function showAddress(popover, address) {
  const url = await invitedAddress();
  address.textContent = url ?? pageAddress();
  find(popover, '[data-open-to-all]').hidden = url === null;
  find(popover, '[data-local]').hidden = url !== null;
  find(popover, '[data-option]').textContent = `--listen 0.0.0.0:${location.port || 80}`;
}
