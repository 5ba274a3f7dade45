// @ts-check
// Rectangles in board units.

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../feed/types.js').Point} Point */

/** The bounds of a tile's height divided by its width. The tile of a more extreme image shows its middle. */
const FLATTEST = 1 / 4;
const TALLEST = 3;

/**
 * The height of a tile divided by its width.
 * @param {number} ratio The height of the image divided by its width.
 */
export function tileRatio(ratio) {
  return ratio > 0 ? Math.min(TALLEST, Math.max(FLATTEST, ratio)) : 1;
}

/**
 * How many times as long as its tile an image is: more than 1 if the tile shows only its middle.
 * @param {Pick<ImageRecord, 'width' | 'height'>} record
 */
export function excessOf({ width, height }) {
  const ratio = height / width;
  return ratio > 0 ? Math.max(ratio / tileRatio(ratio), tileRatio(ratio) / ratio) : 1;
}

/**
 * The rectangle that an image covers on the board.
 * @param {Pick<ImageRecord, 'x' | 'y' | 'w' | 'width' | 'height'>} record
 * @returns {Box}
 */
export function boxOf({ x, y, w, width, height }) {
  return { x, y, w, h: w * tileRatio(height / width) };
}

/**
 * The smallest box around all boxes; null if there are none.
 * @param {Iterable<Box>} boxes
 * @returns {Box | null}
 */
export function boundsOf(boxes) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, w, h } of boxes) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + w);
    bottom = Math.max(bottom, y + h);
  }
  return left === Infinity ? null : { x: left, y: top, w: right - left, h: bottom - top };
}

/**
 * The box between two opposite corners.
 * @param {Point} a
 * @param {Point} b
 * @returns {Box}
 */
export function boxBetween(a, b) {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) };
}

/**
 * `box` with a margin added on each side.
 * @param {Box} box
 * @param {number} margin
 * @returns {Box}
 */
export function grow({ x, y, w, h }, margin) {
  return { x: x - margin, y: y - margin, w: w + 2 * margin, h: h + 2 * margin };
}

/**
 * @param {Box} a
 * @param {Box} b
 * @returns {boolean} False for boxes that only share an edge.
 */
export function overlaps(a, b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/**
 * @param {Box} a
 * @param {Box} b
 * @returns {boolean} True also for boxes that only share an edge, and for boxes without an area.
 */
export function touches(a, b) {
  return a.x <= b.x + b.w && b.x <= a.x + a.w && a.y <= b.y + b.h && b.y <= a.y + a.h;
}

/**
 * @param {Box} outer
 * @param {Box} inner
 */
export function contains(outer, inner) {
  const right = outer.x + outer.w >= inner.x + inner.w;
  return outer.x <= inner.x && outer.y <= inner.y && right && outer.y + outer.h >= inner.y + inner.h;
}
