// @ts-check
// Ids for uploads. The client chooses the id, so that it can repeat an upload whose answer was lost without storing a second
// image. `crypto.randomUUID` makes version 4 only and is missing on plain HTTP; `getRandomValues` is always available.

import { serverTime } from '../feed/server-time.js';

/** A step back of the clock by more is followed, so that ids do not keep a time that was wrong. */
const MAX_STEP_BACK_MS = 10_000;

let lastMillisecond = 0;
let sequence = 0;

/**
 * A UUIDv7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, on the server's clock, then a 12 bit counter, then random bits.
 * Ids of one page ascend, also within a millisecond, so that files keep the order in which they were dropped.
 * @param {number} [now] Milliseconds since 1970.
 * @returns {string}
 */
export function uuidv7(now = serverTime()) {
  if (now > lastMillisecond || now < lastMillisecond - MAX_STEP_BACK_MS) {
    lastMillisecond = now;
    sequence = 0;
  } else if (sequence < 0xfff) {
    sequence += 1;
  } else {
    lastMillisecond += 1;
    sequence = 0;
  }
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(lastMillisecond / 0x10000));
  view.setUint16(4, lastMillisecond % 0x10000);
  view.setUint16(6, 0x7000 | sequence);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
