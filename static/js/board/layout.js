// @ts-check
// The placement of images that are dropped together, in board units. Pure functions.

import { tileRatio } from './geometry.js';

/** @typedef {import('../feed/types.js').Pixels} Pixels */
/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').Point} Point */

/** The height of a row, as on the server. */
const ROW_HEIGHT = 240;
/** Leaves space for the name below each image. */
const GAP = 40;

/**
 * The size at which the server shows a new image, which is never enlarged.
 * @param {Pixels | null} pixels Null if unknown.
 */
function sizeOf(pixels) {
  const { width, height } = pixels ?? { width: ROW_HEIGHT, height: ROW_HEIGHT };
  const ratio = tileRatio(height / width);
  const h = Math.min(ROW_HEIGHT, height, width * ratio);
  return { w: h / ratio, h };
}

/**
 * Places one image centred on the point, or several in rows, the first image centred on the point. Returns a function that
 * places the next image.
 * @param {Point} point
 * @param {(Pixels | null)[]} first The dimensions of the first images, from which the width of the rows is estimated; null if unknown.
 * @param {number} count The number of all images.
 * @returns {(pixels: Pixels | null) => Box}
 */
export function rowsFrom(point, first, count) {
  const sizes = first.map(sizeOf);
  const longest = longestRow(sizes, count);
  const left = point.x - sizes[0].w / 2;
  let [x, y] = [0, point.y - sizes[0].h / 2];
  return (pixels) => {
    const { w, h } = sizeOf(pixels);
    if (x > 0 && x + w > longest) {
      x = 0;
      y += ROW_HEIGHT + GAP;
    }
    const box = { x: left + x, y, w, h };
    x += w + GAP;
    return box;
  };
}

/**
 * The width of the rows: at least three images, and a block that is wider than high.
 * @param {{ w: number }[]} sizes Of the first images.
 * @param {number} count
 */
function longestRow(sizes, count) {
  const widths = sizes.map(({ w }) => w + GAP);
  const all = (widths.reduce((sum, width) => sum + width, 0) * count) / widths.length;
  const few = widths.slice(0, 3).reduce((sum, width) => sum + width, 0);
  return Math.max(Math.sqrt(all * (ROW_HEIGHT + GAP) * 1.6), few);
}
