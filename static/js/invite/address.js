// @ts-check
// The address at which other devices open the board, and its QR codes.

/**
 * The address that other devices can open, or null if only this computer reaches the server.
 * @returns {Promise<string | null>}
 */
export async function invitedAddress() {
  try {
    const response = await fetch('/invite');
    return (await response.json()).url ?? null;
  } catch {
    // Without a connection the address of this page is the best that is known.
    return `${location.origin}/`;
  }
}

/**
 * Shows the QR codes in an element, unless there is no address to open or a code fails to load.
 * @param {Element} element
 */
export async function showCodes(element) {
  const codes = /** @type {HTMLElement[]} */ ([...element.querySelectorAll('[data-code]')]);
  const hasAddress = (await invitedAddress()) !== null;
  for (const code of codes) {
    const image = /** @type {HTMLImageElement} */ (code.querySelector('img'));
    image.onload = () => (code.hidden = false);
    image.onerror = () => (code.hidden = true);
    if (hasAddress) image.src = '/invite/qr.svg';
    else code.hidden = true;
  }
}
