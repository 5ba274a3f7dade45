// @ts-check
// Which file of a image is loaded: the thumbnail, or all of it where that can be seen.

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/** The longest side of a thumbnail, in pixels. */
const THUMBNAIL_PX = 512;
/** Shown smaller than this the thumbnail will do again; in between stays what is shown. */
const ENOUGH_PX = 400;

/**
 * - `pixels`: the longest side as it is shown, in pixels of the screen; 0 where it is out of view
 * - `playing`: a person points at it
 * - `isFull`: whether all of it is shown already
 * @typedef {{ pixels: number, playing: boolean, isFull: boolean }} Shown
 */

/**
 * @param {ImageRecord} record
 * @param {Shown} shown
 * @returns {boolean}
 */
export function needsFull(record, { pixels, playing, isFull }) {
  if (!record.thumb) return true;
  if (isAnimated(record)) return !wantsCalm() && (playing || pixels > (isFull ? ENOUGH_PX : THUMBNAIL_PX));
  return pixels > (isFull ? ENOUGH_PX : THUMBNAIL_PX);
}

/**
 * Whether it may be an animation, of which the thumbnail is the first image.
 * @param {ImageRecord} record
 */
export function isAnimated({ type }) {
  return type === 'image/gif';
}

function wantsCalm() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
