// @ts-check
// Copying text: on plain http there is no clipboard for pages, but what is selected can be copied.

/**
 * @param {string} text
 * @param {Element} near Where the focus may go for a moment: in an open dialog nothing outside of it can have it.
 * @returns {Promise<boolean>}
 */
export async function copyText(text, near) {
  if (navigator.clipboard && isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed, or the page has not the focus: there is the other way.
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
