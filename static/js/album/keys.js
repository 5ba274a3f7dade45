// @ts-check
// The photo of the album that a key leads to. Pure functions.

import { boxesOf, rowWith } from './layout.js';

/** @typedef {import('./layout.js').Layout} Layout */

/**
 * @param {string} key
 * @param {number} at The index of the photo.
 * @param {Layout} layout
 * @returns {number | null} An index; null for other keys.
 */
export function destination(key, at, layout) {
  const last = layout.records.length - 1;
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  if (key === 'ArrowLeft') return Math.max(0, at - 1);
  if (key === 'ArrowRight') return Math.min(last, at + 1);
  if (key === 'ArrowUp') return inRow(at, -1, layout);
  if (key === 'ArrowDown') return inRow(at, 1, layout);
  return null;
}

/**
 * The photo in the next row whose middle is nearest.
 * @param {number} at
 * @param {1 | -1} step
 * @param {Layout} layout
 */
function inRow(at, step, layout) {
  const { rows } = layout;
  const from = rowWith(rows, at);
  const row = rows[from + step];
  if (!row) return at;
  const middles = (/** @type {typeof row} */ each) => boxesOf(each, layout).map(({ x, w }) => x + w / 2);
  const middle = middles(rows[from])[at - rows[from].start];
  const distances = middles(row).map((each) => Math.abs(each - middle));
  return row.start + distances.indexOf(Math.min(...distances));
}
