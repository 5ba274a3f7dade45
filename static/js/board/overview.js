// @ts-check
// Moves the view to show the whole board, its newest rows, or new images until the user has moved the view.

import { boundsOf, boxOf, grow, overlaps } from './geometry.js';

/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('./board.js').Board} Board */
/** @typedef {import('./camera.js').Camera} Camera */

/** The scale below which names are not shown, and photos are small: instead of the whole board the newest rows are shown. */
const READABLE_SCALE = 0.35;
/** The distance from the newest photo within which others belong to its rows, in widths of the view at that scale. */
const REACH = 2;

/**
 * @param {{ board: Board, camera: Camera, images: Images }} parts
 */
export function useOverview({ board, camera, images }) {
  const boxes = () => [...images.values()].map((record) => board.boxOf(record));
  const showNewest = (/** @type {boolean} */ glide) => {
    const newest = images.get(images.ids[images.ids.length - 1]);
    if (newest) camera.fit(newestRows(boxes(), board.boxOf(newest), camera), { glide });
  };
  return {
    /** Shows the whole board. */
    fitAll() {
      const box = boundsOf(boxes());
      if (box) camera.fit(box);
    },
    /** Shows the newest rows. */
    showNewest() {
      camera.chosen = true;
      showNewest(true);
    },
    /** Chooses the first view of a new page. */
    start() {
      if (!camera.chosen) showNewest(false);
    },
    /** @param {ImageRecord} record A new image, which is shown unless the user has moved the view. */
    follow(record) {
      if (!camera.chosen && !camera.sees(boxOf(record))) showNewest(true);
    },
  };
}

/**
 * The whole board if it is readable; otherwise the newest rows, as many as fit, or of very long rows the part with the newest
 * image.
 * @param {Box[]} boxes
 * @param {Box} newest
 * @param {Pick<Camera, 'free'>} camera
 * @returns {Box}
 */
export function newestRows(boxes, newest, { free }) {
  // Photos that somebody has put far away do not belong to the rows.
  const reach = grow(newest, REACH * (free.w / READABLE_SCALE));
  const near = boxes.filter((box) => overlaps(box, reach));
  const whole = /** @type {Box} */ (boundsOf(boxes));
  if (free.w / whole.w >= READABLE_SCALE && free.h / whole.h >= READABLE_SCALE) return whole;
  const rows = rowsOf(near);
  const own = rows.findIndex(({ y, h }) => newest.y >= y && newest.y + newest.h <= y + h);
  // The last row is often short: those above it give the scale as well.
  const longest = Math.max(...rows.slice(Math.max(0, own - 2), own + 1).map(({ w }) => w));
  const scale = Math.min(1, Math.max(READABLE_SCALE, free.w / longest));
  const fits = (/** @type {Box} */ { h }) => h * scale <= free.h;
  let shown = rows[own];
  if (!fits(shown)) return newest;
  for (const row of [...rows.slice(0, own).reverse(), ...rows.slice(own + 1)]) {
    const both = /** @type {Box} */ (boundsOf([shown, row]));
    if (!fits(both)) break;
    shown = both;
  }
  const w = Math.min(shown.w, free.w / scale);
  const x = Math.min(Math.max(shown.x, newest.x + newest.w - w), shown.x + shown.w - w);
  return { ...shown, x, w };
}

/**
 * The bounds of the rows, from top to bottom. Where images overlap across rows, these count as one.
 * @param {Box[]} boxes
 * @returns {Box[]}
 */
function rowsOf(boxes) {
  /** @type {Box[]} */
  const rows = [];
  for (const box of [...boxes].sort((a, b) => a.y - b.y)) {
    const last = rows.at(-1);
    if (last && box.y < last.y + last.h) rows[rows.length - 1] = /** @type {Box} */ (boundsOf([last, box]));
    else rows.push(box);
  }
  return rows;
}
