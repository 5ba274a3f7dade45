// @ts-check
// Fits images into justified rows: rows of one height that fill the width, in which nothing is enlarged beyond its own size.
// Pure functions.

import { tileRatio } from './geometry.js';

/** @typedef {import('../feed/types.js').Pixels} Pixels */

/**
 * - `height`: that of a row that is not full
 * - `lowest`, `tallest`: the bounds of the height of a full row
 * @typedef {{ height: number, lowest: number, tallest: number, gap: number }} RowStyle
 */

/** The images from `start` to before `end`. @typedef {{ start: number, end: number, height: number }} Row */

/**
 * @param {readonly Pixels[]} images In the order in which they fill the rows.
 * @param {number} width
 * @param {RowStyle} style
 * @returns {Row[]}
 */
export function rowsIn(images, width, style) {
  /** @type {Row[]} */
  const rows = [];
  for (let start = 0; start < images.length; start = rows[rows.length - 1].end) rows.push(rowFrom(images, start, width, style));
  return rows;
}

/**
 * The size of an image in a row.
 * @param {Pixels} image
 * @param {number} row The height of the row.
 */
export function sizeIn(image, row) {
  const h = Math.min(row, tallestOf(image));
  return { w: h / tileRatio(image.height / image.width), h };
}

/**
 * The row that begins at `start`: with or without the image that exceeds the width, whichever changes the height less.
 * @param {readonly Pixels[]} images
 * @param {number} start
 * @param {number} width
 * @param {RowStyle} style
 * @returns {Row}
 */
function rowFrom(images, start, width, style) {
  const { height, lowest, tallest, gap } = style;
  let end = start + 1;
  let used = sizeIn(images[start], height).w;
  while (end < images.length && used <= width) {
    used += gap + sizeIn(images[end], height).w;
    end += 1;
  }
  if (used <= width) return { start, end, height };
  const change = (/** @type {number} */ value) => Math.abs(Math.log(value / height));
  const withLast = justified(images, start, end, width, style);
  const without = end - start > 1 ? justified(images, start, end - 1, width, style) : 0;
  const fits = (/** @type {number} */ value) => value >= lowest && value <= tallest;
  if (fits(without) && (!fits(withLast) || change(without) < change(withLast))) return { start, end: end - 1, height: without };
  if (fits(withLast) || end - start === 1) return { start, end, height: withLast };
  return { start, end: end - 1, height };
}

/**
 * The height of a full row: that at which the images from `start` to before `end` are as wide as `width`; infinite if they cannot be.
 * @param {readonly Pixels[]} images
 * @param {number} start
 * @param {number} end
 * @param {number} width
 * @param {RowStyle} style
 */
export function justified(images, start, end, width, { tallest, gap }) {
  const free = width - gap * (end - start - 1);
  let [widthOfOne, smallest] = [0, Infinity];
  for (let at = start; at < end; at += 1) {
    widthOfOne += 1 / tileRatio(images[at].height / images[at].width);
    smallest = Math.min(smallest, tallestOf(images[at]));
  }
  // Without an image too small for the row, all widths are proportional to its height.
  if (free / widthOfOne <= smallest) return free / widthOfOne <= 2 * tallest ? free / widthOfOne : Infinity;
  const row = images.slice(start, end);
  const widthAt = (/** @type {number} */ height) => row.reduce((sum, image) => sum + sizeIn(image, height).w, 0);
  let [low, high] = [0, 2 * tallest];
  if (widthAt(high) < free) return Infinity;
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (widthAt(middle) > free) high = middle;
    else low = middle;
  }
  return low;
}

/**
 * The largest height of a tile, at which its image is not enlarged.
 * @param {Pixels} image
 */
function tallestOf({ width, height }) {
  return Math.min(height, width * tileRatio(height / width));
}
