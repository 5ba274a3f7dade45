// @ts-check
// Modal dialogs. An open one makes the rest of the page inert, so notices and live regions move into it.

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} everywhere Notices and live regions.
 */
export function showModal(dialog, everywhere) {
  if (dialog.open) return;
  // Another dialog may be open below.
  const below = /** @type {Element} */ (everywhere.parentElement).closest('dialog');
  dialog.showModal();
  // The browser scrolls to what it gives the focus, which may be a button at the end.
  dialog.scrollTop = 0;
  dialog.append(everywhere);
  const giveBack = () => {
    // A dialog that is still open above may have them.
    if (dialog.contains(everywhere)) (below?.open ? below : document.body).append(everywhere);
  };
  dialog.addEventListener('close', giveBack, { once: true });
}
