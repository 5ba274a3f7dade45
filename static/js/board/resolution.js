// @ts-check
// The choice between the thumbnail and the full image.

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/** The longest side of a thumbnail, in pixels. */
const THUMBNAIL_PX = 512;
/** The size below which the full image is replaced by the thumbnail again. In between nothing is loaded. */
const ENOUGH_PX = 400;

/**
 * - `pixels`: the longest side on the screen, in device pixels; 0 out of view
 * - `playing`: hovered or focused
 * - `isFull`: whether the full image is loaded
 * @typedef {{ pixels: number, playing: boolean, isFull: boolean }} Shown
 */

/**
 * @param {ImageRecord} record
 * @param {Shown} shown
 * @returns {boolean}
 */
export function needsFull(record, { pixels, playing, isFull }) {
  if (!record.thumb) return true;
  if (isAnimated(record)) return !prefersReducedMotion() && (playing || pixels > (isFull ? ENOUGH_PX : THUMBNAIL_PX));
  return pixels > (isFull ? ENOUGH_PX : THUMBNAIL_PX);
}

/**
 * True if the image may be animated. Its thumbnail is the first frame.
 * @param {ImageRecord} record
 */
export function isAnimated({ type }) {
  return type === 'image/gif';
}

function prefersReducedMotion() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
