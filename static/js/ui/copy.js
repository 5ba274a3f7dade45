// @ts-check
// Copying text to the clipboard. Plain HTTP has no clipboard API, but a selection can still be copied.

/**
 * @param {string} text
 * @param {Element} near Gets a temporary text field. Inside an open dialog, since nothing outside can be focused.
 * @returns {Promise<boolean>}
 */
export async function copyText(text, near) {
  if (navigator.clipboard && isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Denied, or the page is not focused: fall through.
    }
  }
  return copyBySelection(text, near);
}

/**
 * @param {string} text
 * @param {Element} near
 */
function copyBySelection(text, near) {
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'visually-hidden';
  area.setAttribute('aria-hidden', 'true');
  near.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return copied;
}
