// @ts-check
// The roles of links and how they are told, in one place.

/** @typedef {import('../access/access.js').Role} Role */

/** The text for each role. @type {Record<string, string>} */
const CAN = {
  view: 'Can look',
  add: 'Can add photos',
  edit: 'Can edit everything',
  host: 'Host',
  admin: 'Administrator',
};

/** @param {string} role */
export function roleText(role) {
  return CAN[role] ?? role;
}

/** @type {Intl.DateTimeFormatOptions} */
const DAY = { day: 'numeric', month: 'long' };

/**
 * A day, with the year unless it is this one.
 * @param {string} time
 * @param {Date} now
 */
export function dayOf(time, now) {
  const date = new Date(time);
  const year = date.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  return new Intl.DateTimeFormat('en-GB', { ...DAY, year }).format(date);
}

/**
 * When a link ends.
 * @param {string | undefined} expiresAt
 * @param {Date} now
 */
export function expiryText(expiresAt, now) {
  if (!expiresAt) return 'No expiry';
  const left = Date.parse(expiresAt) - now.getTime();
  if (left <= 0) return 'Expired';
  const today = new Date(expiresAt).toDateString() === now.toDateString();
  const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' }).format(new Date(expiresAt));
  return today ? `Expires today at ${time}` : `Expires on ${dayOf(expiresAt, now)}`;
}
