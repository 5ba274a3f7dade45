// @ts-check
// The keyboard: goes from image to image, and moves, resizes, selects, opens and deletes them.

import { mayChange } from '../access/access.js';
import { idOf } from './board.js';
import { LARGEST_WIDTH, SMALLEST_WIDTH } from './drag.js';

/** @typedef {import('./board.js').Board} Board */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('./moves.js').Moves} Moves */
/** @typedef {import('./selecting.js').Selecting} Selecting */
/** @typedef {import('./selection.js').Selection} Selection */

const STEP = 10;
const LARGE_STEP = 100;
/** Key presses with shorter pauses are one move. */
const PAUSE_MS = 400;

/** @type {Record<string, import('./nearest.js').Direction>} */
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** The positions that the keys go to in the list of images, oldest first. @type {Record<string, number>} */
const ENDS = { Home: 0, End: -1 };

/**
 * @typedef {object} KeyHandlers
 * @property {(ids: string[]) => void} onDelete
 * @property {(ids: string[]) => void} onMoved
 * @property {(id: string) => void} onOpen
 * @property {() => void} onOffline Images cannot be moved without a connection.
 */

/**
 * Keys on an image act on it, or on the whole selection if it is selected. Keys on the board act on the selection. Images that
 * may not be changed are left out.
 * @param {HTMLElement} surface Holds the tiles. Other keys are left to other listeners.
 * @param {{ board: Board, images: Images, moves: Moves, selection: Selection }} parts
 * @param {KeyHandlers} handlers
 */
export function useKeyboard(surface, { board, images, moves, selection }, { onDelete, onMoved, onOpen, onOffline }) {
  const series = seriesOf(moves, onMoved, onOffline);
  surface.addEventListener('focusout', series.finish);
  surface.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const id = idOf(target);
    const ids = id ? selection.with(id) : target === surface ? selection.ids : [];
    if (ids.length === 0) return;
    const onImage = target.matches('[data-image]');
    const own = ids.filter((each) => mayChange(images.get(each)));
    const changes = event.altKey || target.matches('[data-handle]') || event.key === 'Delete' || event.key === 'Backspace';
    if (changes && own.length === 0) return;
    const arrow = ARROWS[event.key];
    if (arrow && event.altKey && (onImage || target === surface)) series.move(own, arrow[0] * stepOf(event), arrow[1] * stepOf(event));
    else if (event.altKey) return;
    else if (arrow && target.matches('[data-handle]')) series.resize(id, (arrow[0] - arrow[1]) * stepOf(event));
    else if (arrow && onImage) board.focusFrom(id, arrow);
    else if (onImage && event.key in ENDS) board.focus(images.ids.at(ENDS[event.key]) ?? id);
    else if (onImage && event.key === 'Enter') onOpen(id);
    else if (onImage && event.key === ' ') selection.toggle(id);
    else if (event.key === 'Delete' || event.key === 'Backspace') {
      series.finish();
      onDelete(own);
    } else return;
    event.preventDefault();
  });
}

/**
 * Joins key presses that follow each other closely into one move.
 * @param {Moves} moves
 * @param {(ids: string[]) => void} onMoved
 * @param {() => void} onOffline
 */
function seriesOf(moves, onMoved, onOffline) {
  /** @type {string[]} */
  let moving = [];
  let timer = 0;
  const finish = () => {
    clearTimeout(timer);
    const ids = moving;
    moving = [];
    if (ids.length === 0) return;
    moves.end(ids);
    onMoved(ids);
  };
  const hold = (/** @type {string[]} */ ids) => {
    if (moving.join() !== ids.join()) {
      finish();
      if (!moves.begin(ids)) {
        onOffline();
        return false;
      }
      moving = ids;
    }
    clearTimeout(timer);
    timer = window.setTimeout(finish, PAUSE_MS);
    return true;
  };
  return {
    finish,
    /**
     * @param {string[]} ids
     * @param {number} dx
     * @param {number} dy
     */
    move(ids, dx, dy) {
      if (!hold(ids)) return;
      for (const id of ids) {
        const now = moves.at(id);
        if (now) moves.to(id, { x: now.x + dx, y: now.y + dy });
      }
    },
    /**
     * @param {string} id
     * @param {number} by
     */
    resize(id, by) {
      if (!hold([id])) return;
      const now = moves.at(id);
      if (now) moves.to(id, { w: Math.min(LARGEST_WIDTH, Math.max(SMALLEST_WIDTH, now.w + by)) });
    },
  };
}

/** @param {KeyboardEvent} event */
function stepOf({ shiftKey }) {
  return shiftKey ? LARGE_STEP : STEP;
}

/**
 * True if the key belongs to the page as a whole: the focus is neither in a text field nor in something that lies above the
 * page, and nobody else has handled the key.
 * @param {KeyboardEvent} event
 */
export function isForPage(event) {
  const target = /** @type {Element} */ (event.target);
  return !event.defaultPrevented && !target.closest?.('input, textarea, select, [contenteditable], [popover]');
}

/**
 * Shortcuts that work wherever the focus is, except in text fields.
 * @param {HTMLElement} surface
 * @param {{ selecting: Selecting, onUndo: () => void, onRedo: () => void, onHelp: () => void }} handlers
 */
export function useShortcuts(surface, { selecting, onUndo, onRedo, onHelp }) {
  /** Leaves the image that has the focus, so that the arrow keys pan. */
  const leaveImage = () => {
    if (!surface.contains(document.activeElement) || document.activeElement === surface) return false;
    surface.focus({ preventScroll: true });
    return true;
  };
  addEventListener('keydown', (event) => {
    if (!isForPage(event)) return;
    const key = event.key.toLowerCase();
    const withControl = (event.ctrlKey || event.metaKey) && !event.altKey;
    const command = withControl && !event.shiftKey;
    const inDialog = document.querySelector('dialog[open], :popover-open') !== null;
    if (command && key === 'z') {
      onUndo();
    } else if ((withControl && event.shiftKey && key === 'z') || (command && key === 'y')) {
      onRedo();
    } else if (command && key === 'a' && !inDialog) {
      selecting.all();
    } else if (key === 'c' && !event.ctrlKey && !event.metaKey && !event.altKey && !inDialog) {
      if (!selecting.compare()) return;
    } else if (key === '?' && !withControl && !inDialog) {
      onHelp();
    } else if (key !== 'escape' || inDialog || !(selecting.leave() || leaveImage())) {
      return;
    }
    event.preventDefault();
  });
}
