// @ts-check
// The choice of the file that a tile shows: a thumbnail of one of three sizes, the full image, or none if the tile is so small
// that its shape is as good.

import { excessOf } from './geometry.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {64 | 160 | 512 | 'full'} Size The longest side of a thumbnail in pixels. */

/** An image of up to this many bytes may be its own thumbnail. The server makes smaller ones of it, too. */
const SMALL_BYTES = 64 << 10;
/** A tile of up to this many device pixels needs no file: the shape of its thumbhash is as good. Thousands may be in view then. */
const SHAPE_PIXELS = 20;
/** A small thumbnail may be stretched by this factor: it is shown on a board in the distance. */
const STRETCH = 1.25;
/** A file is replaced by a lesser one below this part of what that is good for. In between nothing is loaded. */
const ENOUGH = 0.78;

/**
 * - `pixels`: the longest side of the tile on the screen, in device pixels
 * - `inView`: otherwise the full image is too large to be loaded
 * - `playing`: hovered or focused
 * - `size`: that of the file which is loaded; null if there is none yet
 * @typedef {{ pixels: number, inView: boolean, playing: boolean, size: Size | null }} Shown
 */

/**
 * @param {ImageRecord} record
 * @param {Shown} shown
 * @returns {Size | null} Null if no file is needed.
 */
export function sizeFor(record, { pixels, inView, playing, size }) {
  if (size === null && record.thumbhash && pixels <= SHAPE_PIXELS) return null;
  const sizes = sizesOf(record, inView);
  if (playing && isAnimated(record)) return sizes[sizes.length - 1];
  const whole = pixels * excessOf(record);
  const fitting = (/** @type {number} */ share) => sizes.find((each) => whole <= share * limitOf(each)) ?? sizes[sizes.length - 1];
  const needed = fitting(1);
  if (size === null || !sizes.includes(size) || sizes.indexOf(needed) > sizes.indexOf(size)) return needed;
  const lesser = fitting(ENOUGH);
  return sizes.indexOf(lesser) < sizes.indexOf(size) ? lesser : size;
}

/**
 * True if the image may be animated. Its thumbnail is the first frame.
 * @param {ImageRecord} record
 */
export function isAnimated({ type }) {
  return type === 'image/gif';
}

/**
 * The sizes to choose from, the smallest first.
 * @param {ImageRecord} record
 * @param {boolean} inView
 * @returns {Size[]}
 */
function sizesOf(record, inView) {
  if (!record.thumb) return record.size <= SMALL_BYTES ? [64, 160, 'full'] : ['full'];
  const isStill = isAnimated(record) && matchMedia('(prefers-reduced-motion: reduce)').matches;
  return inView && !isStill ? [64, 160, 512, 'full'] : [64, 160, 512];
}

/** The longest side that a file is good for. @param {Size} size */
function limitOf(size) {
  if (size === 'full') return Infinity;
  return size === 512 ? size : size * STRETCH;
}
