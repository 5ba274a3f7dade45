// @ts-check
// Modal dialogs. An open one makes the rest of the page inert, so what must be seen and heard everywhere moves into it.

/**
 * @param {HTMLDialogElement} dialog
 * @param {HTMLElement} everywhere Notices and live regions.
 */
export function showModal(dialog, everywhere) {
  if (dialog.open) return;
  dialog.showModal();
  dialog.append(everywhere);
  dialog.addEventListener('close', () => document.body.append(everywhere), { once: true });
}
