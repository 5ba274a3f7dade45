// @ts-check
// The buttons on a tile. A touch shows them, so they can appear under the finger that is still touching.

import { idOf } from './board.js';

/** A second tap this soon and this near is part of a double tap on the image, not a tap on a button that has just appeared. */
const DOUBLE_TAP_MS = 400;
const NEAR_PX = 30;

/**
 * @param {HTMLElement} layer Holds the tiles.
 * @param {{ onOpen: (id: string) => void, onDelete: (id: string) => void, onApprove: (id: string) => void }} handlers
 */
export function useControls(layer, { onOpen, onDelete, onApprove }) {
  /** The current press. @type {{ button: Element | null, tooSoon: boolean } | null} */
  let press = null;
  let touched = { id: '', at: -Infinity, x: 0, y: 0 };

  layer.addEventListener('pointerdown', ({ target, timeStamp, pointerType, clientX: x, clientY: y }) => {
    const button = buttonAt(target);
    const id = idOf(target);
    const again = pointerType !== 'mouse' && id === touched.id && timeStamp - touched.at < DOUBLE_TAP_MS;
    press = { button, tooSoon: again && Math.hypot(x - touched.x, y - touched.y) < NEAR_PX };
    if (!button) touched = { id, at: timeStamp, x, y };
  });
  layer.addEventListener('click', ({ target }) => {
    const button = buttonAt(target);
    const began = press;
    press = null;
    // A press that began before the button appeared does not count. Keys and screen readers click without a press.
    if (!button || (began && began.button !== button)) return;
    if (began?.tooSoon || button.matches('[data-open]')) onOpen(idOf(button));
    else if (button.matches('[data-approve]')) onApprove(idOf(button));
    else onDelete(idOf(button));
  });
  layer.addEventListener('dblclick', ({ target }) => {
    // Its caption is edited instead, if it may be.
    const onCaption = /** @type {Element} */ (target).closest('.tile:not(.is-fixed) [data-name]');
    if (idOf(target) && !buttonAt(target) && !onCaption) onOpen(idOf(target));
  });
}

/** @param {EventTarget | null} target */
function buttonAt(target) {
  return /** @type {Element} */ (target).closest('[data-open], [data-delete], [data-approve]');
}
