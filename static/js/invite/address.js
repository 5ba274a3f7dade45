// @ts-check
// The address at which other devices open the board, and its QR codes. Where links are needed, that is the last link for
// guests that this page has made, or the one that the server has shown at its start.

import { currentBoard } from '../access/access.js';
import { drawCode } from '../ui/api.js';
import { onBoard, pageAddress } from '../ui/site.js';

/** The link for guests, and its QR code. */
let offered = { address: '', code: '' };

/** A link for guests was made. Its QR code is shown from now on. @param {string} address */
export function offerLink(address) {
  URL.revokeObjectURL(offered.code);
  offered = { address, code: '' };
}

/**
 * The address that other devices can open, or null if there is none: only this computer reaches the server, or a link is
 * needed that this page does not know.
 * @returns {Promise<string | null>}
 */
export async function invitedAddress() {
  if (offered.address && currentBoard()?.access === 'links') return offered.address;
  try {
    const response = await fetch(onBoard('invite'));
    return (await response.json()).url ?? null;
  } catch {
    // Without a connection the address of this page is the best that is known, unless it lets nobody in.
    return currentBoard()?.access === 'links' ? null : pageAddress();
  }
}

/**
 * Shows the QR codes in an element, unless there is no address to open or a code fails to load.
 * @param {Element} element
 */
export async function showCodes(element) {
  const codes = /** @type {HTMLElement[]} */ ([...element.querySelectorAll('[data-code]')]);
  const source = await codeSource();
  for (const code of codes) {
    const image = /** @type {HTMLImageElement} */ (code.querySelector('img'));
    image.onload = () => (code.hidden = false);
    image.onerror = () => (code.hidden = true);
    if (source) image.src = source;
    else code.hidden = true;
  }
}

/** The URL of the QR code; empty if there is none. */
async function codeSource() {
  const address = await invitedAddress();
  if (address === null) return '';
  if (address !== offered.address) return onBoard('invite/qr.svg');
  if (offered.code) return offered.code;
  const code = await drawCode(onBoard('qr'), address).catch(() => '');
  if (address === offered.address) offered.code = code;
  return code;
}
