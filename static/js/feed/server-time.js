// @ts-check
// The server's clock, as far as the page knows it: that of the device may be wrong.

let ahead = 0;

/**
 * Notes what the clock of the server reads.
 * @param {unknown} now Milliseconds since 1970.
 */
export function noteServerTime(now) {
  if (typeof now === 'number' && Number.isFinite(now)) ahead = now - Date.now();
}

/**
 * The time of the server, or of the device until the server has told it. Behind by the time that messages take.
 * @returns {number} Milliseconds since 1970.
 */
export function serverTime() {
  return Math.round(Date.now() + ahead);
}
