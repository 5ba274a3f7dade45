// @ts-check
// Selecting several images: the selection mode, since a touch screen has no Shift, and the bar with the count.

import { mayChange, mayChangeAll } from '../access/access.js';
import { canCompare } from '../lightbox/compare.js';
import { announce } from '../ui/announce.js';
import { SEVERAL } from './arranging.js';

/** @typedef {import('./selection.js').Selection} Selection */
/** @typedef {import('../feed/images.js').Images} Images */

const ANNOUNCE_MS = 350;

export class Selecting {
  /** In selection mode a tap adds to the selection, and a drag on the empty board draws a band. */
  mode = false;
  #elements;
  #selection;
  #images;
  #announced = 0;
  #timer = 0;
  #onCompare;

  /**
   * @param {object} elements
   * @param {HTMLElement} elements.surface
   * @param {HTMLElement} elements.button Turns the mode on and off.
   * @param {HTMLElement} elements.bar
   * @param {Selection} selection
   * @param {Images} images
   * @param {{ onCompare: (ids: string[]) => void, onDelete: (ids: string[]) => void }} handlers
   */
  constructor(elements, selection, images, { onCompare, onDelete }) {
    this.#elements = elements;
    this.#selection = selection;
    this.#images = images;
    elements.button.addEventListener('click', () => this.#turn(!this.mode));
    this.#part('delete').addEventListener('click', () => {
      onDelete(selection.ids);
      elements.surface.focus({ preventScroll: true });
    });
    this.#onCompare = onCompare;
    this.#part('compare').addEventListener('click', () => this.compare());
    this.#part('done').addEventListener('click', () => this.#finish());
    this.show();
  }

  /** @param {PointerEvent} event */
  adds = (event) => this.mode || event.shiftKey || event.ctrlKey || event.metaKey;

  /** @param {PointerEvent} event */
  bands = (event) => this.mode || event.shiftKey;

  /** Selects all images, if the board is shown. */
  all() {
    if (this.#elements.surface.hidden) return;
    this.#selection.set(this.#images.ids);
    const active = document.activeElement;
    if (!active || active === document.body) this.#elements.surface.focus({ preventScroll: true });
  }

  /** Compares the selected images. @returns {boolean} False if there are too few or too many. */
  compare() {
    if (!canCompare(this.#selection.size)) return false;
    this.#onCompare(this.#selection.ids);
    return true;
  }

  /** Clears the selection, or without one leaves the mode. @returns {boolean} False if there was nothing to do. */
  leave() {
    if (this.#selection.size > 0) this.#selection.clear();
    else if (this.mode) this.#turn(false);
    else return false;
    return true;
  }

  /** Updates the bar after the selection has changed. */
  show() {
    const { size } = this.#selection;
    const { surface, bar } = this.#elements;
    // A single image has buttons of its own, but not for a finger, which would press them by mistake.
    bar.hidden = !this.mode && size < (matchMedia('(pointer: coarse)').matches ? 1 : 2);
    document.documentElement.classList.toggle('is-selecting', !bar.hidden);
    document.documentElement.classList.toggle('has-one', size === 1);
    surface.classList.toggle('is-picking', this.mode);
    const word = Object.assign(document.createElement('span'), { textContent: ' selected' });
    this.#part('count').replaceChildren(...(size > 0 ? [String(size), word] : ['Tap photos']));
    this.#part('compare').hidden = !canCompare(size);
    const own = this.#selection.ids.filter((id) => mayChange(this.#images.get(id))).length;
    this.#part('delete').hidden = own === 0;
    this.#part('delete').textContent = own < size ? 'Delete yours' : 'Delete';
    this.#part('arrange').hidden = !mayChangeAll() && own < SEVERAL;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#announce(), ANNOUNCE_MS);
  }

  /** Announces the count. A single selected image has the focus and is announced by it. */
  #announce() {
    const { size } = this.#selection;
    if (size === this.#announced) return;
    if (size > 1 || (size === 1 && (this.#announced > 1 || this.mode))) announce(`${size} selected.`);
    else if (size === 0 && this.#announced > 1) announce('Nothing selected.');
    this.#announced = size;
  }

  /** Leaves the mode and clears the selection. */
  stop() {
    this.#turn(false);
  }

  #finish() {
    this.stop();
    this.#elements.surface.focus({ preventScroll: true });
  }

  /** @param {boolean} on */
  #turn(on) {
    this.mode = on;
    this.#elements.button.setAttribute('aria-pressed', String(on));
    if (on) announce('Selection mode: tap photos or drag around them.');
    else this.#selection.clear();
    this.show();
  }

  /** @param {string} name */
  #part(name) {
    return /** @type {HTMLElement} */ (this.#elements.bar.querySelector(`[data-${name}]`));
  }
}
