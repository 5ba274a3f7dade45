// @ts-check
// The end of access: the link was revoked or has expired, the board was deleted, or the server refuses this page. It covers
// the page, since nothing on it works any more.

import { boardPath } from '../ui/site.js';

/** @typedef {{ title: string, text: string }} Refusal */

/** The close codes of a session that has lost its access. @type {Record<number, Refusal>} */
const ENDINGS = {
  4401: {
    title: 'This link no longer works',
    text: 'It was revoked or has expired. Ask whoever runs this board for a new one.',
  },
  4404: { title: 'This board was deleted', text: 'Its photos went with it. Ask whoever ran the board if you miss some.' },
};
/** @type {Record<number, string>} */
const TITLES = { 401: 'You need an invitation', 403: 'You can’t open this board here', 404: 'This board doesn’t exist' };
const TIMEOUT_MS = 5_000;

/**
 * Shows why a session has ended if another would end the same way.
 * @param {number} code That it was closed with.
 * @returns {Promise<boolean>} False if the connection is just lost.
 */
export async function showRefusal(code) {
  const refusal = ENDINGS[code] ?? (await refusalOf(boardPath()));
  if (refusal) cover(refusal);
  return refusal !== null;
}

/**
 * Asks the server why it refuses a session.
 * @param {string} path Of the board.
 * @returns {Promise<Refusal | null>} Null if it does not refuse it, or cannot be asked.
 */
async function refusalOf(path) {
  try {
    const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
    const title = TITLES[response.status];
    // A proxy that cannot reach the server answers with a page of its own.
    if (!title || !response.headers.get('Content-Type')?.startsWith('application/problem+json')) return null;
    const { detail } = await response.json();
    return { title, text: String(detail ?? '') };
  } catch {
    return null;
  }
}

/** @param {Refusal} refusal */
function cover({ title, text }) {
  if (document.querySelector('.refusal')) return;
  const dialog = document.createElement('dialog');
  dialog.className = 'refusal';
  // Not the button: nobody is asked to press it.
  dialog.tabIndex = -1;
  dialog.autofocus = true;
  dialog.setAttribute('aria-labelledby', 'refusal-title');
  dialog.setAttribute('aria-describedby', 'refusal-text');
  const button = Object.assign(document.createElement('button'), { type: 'button', className: 'button', textContent: 'Try again' });
  button.addEventListener('click', () => location.reload());
  const mark = document.querySelector('.brand-mark')?.cloneNode(true);
  if (mark) dialog.append(mark);
  dialog.append(
    Object.assign(document.createElement('h2'), { id: 'refusal-title', textContent: title }),
    Object.assign(document.createElement('p'), { id: 'refusal-text', textContent: text }),
    button,
  );
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  // Browsers close it nevertheless when Esc is pressed twice.
  dialog.addEventListener('close', () => dialog.showModal());
  document.body.append(dialog);
  dialog.showModal();
  document.documentElement.dataset.state = 'refused';
}
