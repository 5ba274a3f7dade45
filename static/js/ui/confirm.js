// @ts-check
// A question that must be answered before something that concerns everyone.

import { element, find } from './page.js';

const RESTORABLE = 'They can be restored from Recently deleted for a while.';

/**
 * Asks, and resolves with the answer. Closing the dialog is a no.
 * @param {string} question
 * @param {string} action The text of the button that agrees.
 * @param {string} [hint] What it means.
 * @returns {Promise<boolean>}
 */
export function confirmed(question, action, hint = RESTORABLE) {
  const dialog = /** @type {HTMLDialogElement} */ (element('confirm'));
  find(dialog, '[data-question]').textContent = question;
  find(dialog, '[data-agree]').textContent = action;
  find(dialog, '[data-hint]').textContent = hint;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}
