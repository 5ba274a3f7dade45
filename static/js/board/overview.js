// @ts-check
// Moves the view to show the board as a whole, or new images until the user has moved the view.

import { boundsOf, boxOf } from './geometry.js';

/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('./board.js').Board} Board */
/** @typedef {import('./camera.js').Camera} Camera */

/** A board that fits only at a smaller scale is not shown as a whole; the newest image is shown instead. */
const MIN_SCALE = 0.25;

/**
 * @param {{ board: Board, camera: Camera, images: Images }} parts
 */
export function useOverview({ board, camera, images }) {
  const bounds = () => boundsOf([...images.values()].map((record) => board.boxOf(record)));
  const showMost = (/** @type {boolean} */ glide) => {
    const box = bounds();
    if (!box) return;
    camera.fit(box, { smallest: MIN_SCALE, glide });
    const newest = images.get(images.ids[images.ids.length - 1]);
    if (newest && camera.scale === MIN_SCALE) camera.fit(boxOf(newest), { glide });
  };
  return {
    /** Shows the whole board. */
    fitAll() {
      const box = bounds();
      if (box) camera.fit(box);
    },
    /** Chooses the first view of a new page. */
    start() {
      if (!camera.chosen) showMost(false);
    },
    /** @param {ImageRecord} record A new image, which is shown unless the user has moved the view. */
    follow(record) {
      if (!camera.chosen && !camera.sees(boxOf(record))) showMost(true);
    },
  };
}
