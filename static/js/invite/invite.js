// @ts-check
// The Share button: a popover with the address of the board, its QR code, and the share sheet of the system.

import { copyText } from '../ui/copy.js';
import { notice } from '../ui/notice.js';
import { find } from '../ui/page.js';
import { invitedAddress, showCodes } from './address.js';

/**
 * @param {{ button: HTMLElement, popover: HTMLElement }} elements
 */
export function useInvite({ button, popover }) {
  const address = find(popover, '[data-address]');
  const send = find(popover, '[data-send]');
  send.hidden = !('share' in navigator);
  popover.addEventListener('toggle', (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === 'open';
    button.setAttribute('aria-expanded', String(open));
  });
  popover.addEventListener('beforetoggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== 'open') return;
    address.textContent ||= `${location.origin}/`;
    void showAddress(popover, address);
    void showCodes(popover);
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
  address.textContent = url ?? `${location.origin}/`;
  find(popover, '[data-open-to-all]').hidden = url === null;
  find(popover, '[data-local]').hidden = url !== null;
  find(popover, '[data-option]').textContent = `--listen 0.0.0.0:${location.port || 80}`;
}
