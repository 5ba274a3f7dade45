// @ts-check
// Gestures on images: selecting, moving, resizing and opening. A finger pans, also on an image, until it has rested on one.

import { mayChange } from '../access/access.js';
import { idOf } from './board.js';

/** @typedef {import('./board.js').Board} Board */
/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('./moves.js').Moves} Moves */
/** @typedef {import('./moves.js').Placement} Placement */
/** @typedef {import('./navigate.js').Gesture} Gesture */
/** @typedef {import('./selection.js').Selection} Selection */
/** @typedef {import('../feed/types.js').Point} Point */

export const SMALLEST_WIDTH = 24;
export const LARGEST_WIDTH = 4096;
const DOUBLE_TAP_MS = 350;

/**
 * @typedef {object} DragParts
 * @property {Board} board
 * @property {Camera} camera
 * @property {Images} images
 * @property {Moves} moves
 * @property {Selection} selection
 * @property {(event: PointerEvent) => boolean} adds Whether a press adds to the selection instead of replacing it.
 * @property {(id: string) => void} onOpen
 * @property {() => void} onOffline Images cannot be moved without a connection.
 */

/**
 * Returns a function that starts the gesture of a pointer on an image, or returns null elsewhere. For `navigate`.
 * @param {DragParts} parts
 * @returns {(event: PointerEvent) => Gesture | null}
 */
export function dragging(parts) {
  const tapped = doubleTap(parts.onOpen);
  const nothing = () => {};
  return (event) => {
    const id = idOf(event.target);
    if (!id) return null;
    if (!mayChange(parts.images.get(id))) return looking(parts, event, id, tapped);
    const isOnHandle = /** @type {Element} */ (event.target).closest('[data-handle]') !== null;
    // A finger resizes only what it has selected by a long press: a swipe may begin on a handle.
    if (isOnHandle && (event.pointerType !== 'touch' || parts.selection.has(id))) return resizing(parts, event, id);
    if (event.pointerType !== 'touch') return moving(parts, event, id, tapped);
    const hold = () => moving(parts, event, id, tapped);
    const tap = () => (parts.adds(event) ? parts.selection.toggle(id) : parts.onOpen(id));
    return { hold, move: nothing, end: nothing, cancel: nothing, tap };
  };
}

/**
 * @param {DragParts} parts
 * @param {PointerEvent} event
 * @param {string} id
 * @param {(id: string, event: PointerEvent) => void} tapped
 * @returns {Gesture}
 */
function moving({ board, camera, moves, selection, adds, onOffline }, event, id, tapped) {
  const was = selection.has(id);
  const adding = adds(event);
  // A finger has no use for the focus, which would pan the board to show the whole image.
  if (event.pointerType !== 'touch') focusOn(board.tile(id), event);
  if (!was && adding) selection.add(id);
  else if (!was) selection.set([id]);
  const from = pointOf(camera, event);
  /** @type {Map<string, Placement> | null | undefined} */
  let start;
  return {
    move(event) {
      if (start === undefined) {
        camera.chosen = true;
        start = moves.begin(selection.with(id));
        if (!start) onOffline();
      }
      const point = pointOf(camera, event);
      for (const [each, { x, y }] of start ?? []) moves.to(each, { x: x + point.x - from.x, y: y + point.y - from.y });
    },
    end: () => moves.end([...(start?.keys() ?? [])]),
    cancel: () => moves.cancel([...(start?.keys() ?? [])]),
    tap(event) {
      if (adding && was) selection.toggle(id);
      else if (!adding) selection.set([id]);
      if (!adding) tapped(id, event);
    },
  };
}

/**
 * On an image that may not be changed: it is selected and opened, and a drag pans.
 * @param {DragParts} parts
 * @param {PointerEvent} event
 * @param {string} id
 * @param {(id: string, event: PointerEvent) => void} tapped
 * @returns {Gesture}
 */
function looking({ board, selection, adds, onOpen }, event, id, tapped) {
  const nothing = () => {};
  const inert = { move: nothing, end: nothing, cancel: nothing };
  const select = (/** @type {PointerEvent} */ press) => {
    if (adds(press)) selection.toggle(id);
    else selection.set([id]);
  };
  if (event.pointerType === 'touch' && !adds(event)) {
    const hold = () => {
      select(event);
      return inert;
    };
    return { ...inert, hold, tap: () => onOpen(id) };
  }
  if (event.pointerType !== 'touch') focusOn(board.tile(id), event);
  const tap = () => {
    select(event);
    if (!adds(event)) tapped(id, event);
  };
  return { ...inert, pans: true, tap };
}

/**
 * @param {DragParts} parts
 * @param {PointerEvent} event
 * @param {string} id
 * @returns {Gesture}
 */
function resizing({ board, camera, moves, onOffline }, event, id) {
  const from = pointOf(camera, event);
  /** @type {Placement | null | undefined} */
  let start;
  return {
    move(event) {
      if (start === undefined) {
        camera.chosen = true;
        start = moves.begin([id])?.get(id) ?? null;
        if (!start) onOffline();
      }
      if (!start) return;
      const point = pointOf(camera, event);
      moves.to(id, { w: widthAfter(start, ratioOf(board, id), point.x - from.x, point.y - from.y) });
    },
    end: () => moves.end([id]),
    cancel: () => moves.cancel([id]),
  };
}

/**
 * Gives an image the focus that a press asks for. The browser does so itself on the image, and without the ring, which is for the
 * keyboard only: a script would get one if the last thing before the press was a key.
 * @param {import('./tile.js').Tile | undefined} tile
 * @param {PointerEvent} event
 */
function focusOn(tile, { target }) {
  if (tile && !tile.frame.contains(/** @type {Node} */ (target))) tile.frame.focus({ preventScroll: true });
}

/**
 * Detects a double tap of a finger or pen on one image. A mouse has `dblclick`, at the speed set in the system.
 * @param {(id: string) => void} onDouble
 * @returns {(id: string, event: PointerEvent) => void}
 */
function doubleTap(onDouble) {
  let last = { id: '', at: 0 };
  return (id, { pointerType, timeStamp }) => {
    if (pointerType === 'mouse') return;
    const double = last.id === id && timeStamp - last.at < DOUBLE_TAP_MS;
    last = double ? { id: '', at: 0 } : { id, at: timeStamp };
    if (double) onDouble(id);
  };
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
