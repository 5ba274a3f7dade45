// @ts-check
// Moving and resizing pictures by pointer.

import { idOf } from './board.js';

/** @typedef {import('./board.js').Board} Board */
/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('./moves.js').Moves} Moves */
/** @typedef {import('./moves.js').Placement} Placement */
/** @typedef {import('./navigate.js').Gesture} Gesture */
/** @typedef {import('./types.js').Point} Point */

export const SMALLEST_WIDTH = 24;
export const LARGEST_WIDTH = 4096;

/**
 * What a pointer begins on a picture: for `navigate`.
 * @param {{ board: Board, camera: Camera, moves: Moves, onStuck: () => void }} parts `onStuck`: it cannot be moved now.
 * @returns {(event: PointerEvent) => Gesture | null}
 */
export function dragging({ board, camera, moves, onStuck }) {
  return (event) => {
    const id = idOf(event.target);
    if (!id) return null;
    const handle = /** @type {Element} */ (event.target).closest('[data-handle]');
    if (!handle) board.tile(id)?.picture.focus({ preventScroll: true });
    const from = pointOf(camera, event);
    /** @type {Placement | null | undefined} */
    let start;
    return {
      move(event) {
        if (start === undefined) {
          camera.chosen = true;
          start = copyOf(moves.begin(id));
          if (!start) onStuck();
        }
        if (!start) return;
        const point = pointOf(camera, event);
        const [dx, dy] = [point.x - from.x, point.y - from.y];
        if (handle) moves.to(id, { w: widthAfter(start, ratioOf(board, id), dx, dy) });
        else moves.to(id, { x: start.x + dx, y: start.y + dy });
      },
      end: () => moves.end(id),
      cancel: () => moves.cancel(id),
    };
  };
}

/** @param {Placement | null} placement */
function copyOf(placement) {
  return placement && { ...placement };
}

/**
 * The width at which the corner follows the pointer along the diagonal.
 * @param {Placement} start
 * @param {number} ratio Height divided by width.
 * @param {number} dx
 * @param {number} dy
 */
function widthAfter(start, ratio, dx, dy) {
  const along = (dx + dy * ratio) / (1 + ratio * ratio);
  return Math.min(LARGEST_WIDTH, Math.max(SMALLEST_WIDTH, start.w + along));
}

/**
 * @param {Board} board
 * @param {string} id
 */
function ratioOf(board, id) {
  const { w, h } = board.tile(id)?.box ?? { w: 1, h: 1 };
  return h / w;
}

/**
 * @param {Camera} camera
 * @param {PointerEvent} event
 * @returns {Point}
 */
function pointOf(camera, { clientX, clientY }) {
  return camera.toBoard({ x: clientX, y: clientY });
}
