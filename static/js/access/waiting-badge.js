// @ts-check
// The badge of a photo that waits for approval, with a button for hosts.

import { isHost } from './access.js';

/** The text of the badge, shorter for hosts. */
export function waitingText() {
  return isHost() ? 'Waiting' : 'Waiting for approval';
}

/**
 * Shows on a photo whether it waits.
 * @param {HTMLElement} element Of the photo. Gets the badge as a child.
 * @param {{ waiting?: boolean }} record
 */
export function writeWaiting(element, { waiting = false }) {
  const before = /** @type {HTMLElement | null} */ (element.querySelector(':scope > .waiting'));
  if (!before && !waiting) return;
  element.classList.toggle('is-waiting', waiting);
  if (before && !waiting) return leave(element, before);
  const badge = before ?? document.createElement('div');
  badge.className = 'waiting';
  badge.classList.toggle('has-approve', isHost());
  const parts = /** @type {Element[]} */ ([word()]);
  if (isHost()) parts.push(badge.querySelector('button') ?? button());
  // A button that stays keeps the focus.
  badge.querySelector('.waiting-word')?.replaceWith(parts[0]);
  if (!before || badge.childElementCount !== parts.length) badge.replaceChildren(...parts);
  if (!before) element.append(badge);
}

/** Removes the badge. Its focus goes to the photo. @param {HTMLElement} element @param {HTMLElement} badge */
function leave(element, badge) {
  const hadFocus = badge.contains(document.activeElement);
  badge.remove();
  if (hadFocus) /** @type {HTMLElement | null} */ (element.querySelector('[data-image], a'))?.focus({ preventScroll: true });
}

function word() {
  return Object.assign(document.createElement('span'), { className: 'waiting-word', textContent: waitingText() });
}

function button() {
  const made = Object.assign(document.createElement('button'), { type: 'button', className: 'waiting-approve', textContent: 'Approve' });
  made.dataset.approve = '';
  return made;
}
