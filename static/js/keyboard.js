// @ts-check
// Moving, resizing and deleting pictures by keys.

import { idOf } from './board.js';
import { LARGEST_WIDTH, SMALLEST_WIDTH } from './drag.js';

/** @typedef {import('./moves.js').Moves} Moves */

const STEP = 10;
const LARGE_STEP = 100;
/** A series of key presses is one move; it ends after this pause. */
const PAUSE_MS = 400;

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {HTMLElement} layer Holds the tiles.
 * @param {Moves} moves
 * @param {object} handlers
 * @param {(id: string) => void} handlers.onDelete
 * @param {(id: string) => void} handlers.onMoved
 * @param {() => void} handlers.onStuck It cannot be moved now.
 */
export function useKeyboard(layer, moves, { onDelete, onMoved, onStuck }) {
  let moving = '';
  let timer = 0;

  const finish = () => {
    clearTimeout(timer);
    const id = moving;
    moving = '';
    if (!id) return;
    moves.end(id);
    onMoved(id);
  };

  layer.addEventListener('focusout', finish);
  layer.addEventListener('keydown', (event) => {
    const id = idOf(event.target);
    const target = /** @type {HTMLElement} */ (event.target);
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault();
      finish();
      onDelete(id);
      return;
    }
    const arrow = ARROWS[event.key];
    const onHandle = target.matches('[data-handle]');
    if (!arrow || !(onHandle || target.matches('[data-picture]'))) return;
    event.preventDefault();
    if (moving !== id) {
      finish();
      if (!moves.begin(id)) return onStuck();
      moving = id;
    }
    const now = moves.at(id);
    if (!now) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    if (onHandle) {
      const width = now.w + (arrow[0] - arrow[1]) * step;
      moves.to(id, { w: Math.min(LARGEST_WIDTH, Math.max(SMALLEST_WIDTH, width)) });
    } else {
      moves.to(id, { x: now.x + arrow[0] * step, y: now.y + arrow[1] * step });
    }
    clearTimeout(timer);
    timer = window.setTimeout(finish, PAUSE_MS);
  });
}
