// @ts-check
// The menu that arranges the selected images, or all: tidying, alignment, equal sizes, and the order from back to front.

import { mayChange, mayChangeAll } from '../access/access.js';
import { boxOf } from './geometry.js';
import { ORDERS, align, restack, sameSize, tidy } from './tidy.js';

/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('./selection.js').Selection} Selection */
/** @typedef {import('./tidy.js').Place} Place */

/** With fewer selected images, the menu concerns all. */
export const SEVERAL = 2;

/**
 * @param {HTMLElement} menu A popover with a button for each command.
 * @param {{ images: Images, selection: Selection, reserved: () => Box[] }} parts `reserved`: where images are being added.
 * @param {(places: Place[], text: string) => void} onArrange
 */
export function useArranging(menu, { images, selection, reserved }, onArrange) {
  const selected = () => {
    const ids = selection.ids.filter((id) => mayChange(images.get(id)));
    return ids.length >= SEVERAL ? ids : [];
  };
  menu.addEventListener('toggle', (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== 'open') return;
    const count = selected().length;
    /** @type {HTMLElement} */ (menu.querySelector('[data-title]')).textContent = count > 0 ? `Tidy ${count} photos` : 'Tidy all photos';
    for (const part of menu.querySelectorAll('[data-selected]')) /** @type {HTMLElement} */ (part).hidden = count === 0;
    /** @type {HTMLElement | null} */ (menu.querySelector('button'))?.focus();
  });
  menu.addEventListener('click', (event) => {
    const name = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-arrange]'))?.dataset.arrange;
    if (!name) return;
    menu.hidePopover();
    const ids = new Set(selected());
    const all = [...images.values()];
    if (ids.size === 0 && !mayChangeAll()) return;
    const records = ids.size > 0 ? all.filter(({ id }) => ids.has(id)) : all;
    const others = ids.size > 0 ? all.filter(({ id }) => !ids.has(id)) : [];
    const places = placesOf(name, records, others, reserved());
    if (places.length > 0) onArrange(places, places.length === 1 ? '1 photo arranged.' : `${places.length} photos arranged.`);
  });
}

/**
 * @param {string} name
 * @param {ImageRecord[]} records
 * @param {ImageRecord[]} others
 * @param {Box[]} reserved
 * @returns {Place[]}
 */
function placesOf(name, records, others, reserved) {
  if (name in ORDERS) return tidy([...records].sort(ORDERS[name]), [...others.map(boxOf), ...reserved]);
  if (name === 'size') return sameSize(records);
  if (name === 'front' || name === 'back') return restack(records, others, name === 'front');
  return align(records, name);
}
