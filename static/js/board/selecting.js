// @ts-check
// Selecting several images: the mode for it (a touch screen has no shift), the keys, and the bar that says how many.

import { announce } from '../ui/announce.js';

/** @typedef {import('./selection.js').Selection} Selection */
/** @typedef {import('../feed/images.js').Images} Images */

const SAY_MS = 350;

export class Selecting {
  /** Whether a tap adds, and a finger on empty space draws a band. */
  mode = false;
  #elements;
  #selection;
  #images;
  #said = 0;
  #timer = 0;

  /**
   * @param {object} elements
   * @param {HTMLElement} elements.surface
   * @param {HTMLElement} elements.button Turns the mode on and off.
   * @param {HTMLElement} elements.bar
   * @param {Selection} selection
   * @param {Images} images
   * @param {(ids: string[]) => void} onDelete
   */
  constructor(elements, selection, images, onDelete) {
    this.#elements = elements;
    this.#selection = selection;
    this.#images = images;
    elements.button.addEventListener('click', () => this.#turn(!this.mode));
    this.#part('delete').addEventListener('click', () => {
      onDelete(selection.ids);
      elements.surface.focus({ preventScroll: true });
    });
    this.#part('done').addEventListener('click', () => this.#finish());
    this.show();
  }

  /** @param {PointerEvent} event */
  adds = (event) => this.mode || event.shiftKey || event.ctrlKey || event.metaKey;

  /** @param {PointerEvent} event */
  bands = (event) => this.mode || event.shiftKey;

  /** Selects all there is. */
  all() {
    this.#selection.set(this.#images.ids);
    const active = document.activeElement;
    if (!active || active === document.body) this.#elements.surface.focus({ preventScroll: true });
  }

  /** Escape: first the selection goes, then the mode. @returns {boolean} Whether there was something to leave. */
  leave() {
    if (this.#selection.size > 0) this.#selection.clear();
    else if (this.mode) this.#turn(false);
    else return false;
    return true;
  }

  /** The selection has changed. */
  show() {
    const { size } = this.#selection;
    const { surface, bar } = this.#elements;
    bar.hidden = !this.mode && size < 2;
    document.documentElement.classList.toggle('is-selecting', !bar.hidden);
    surface.classList.toggle('is-picking', this.mode);
    this.#part('count').textContent = size > 0 ? `${size} selected` : 'Tap photos';
    this.#part('delete').hidden = size === 0;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#say(), SAY_MS);
  }

  /** One selected image is where the focus is: only several are worth a word, and that there are none any more. */
  #say() {
    const { size } = this.#selection;
    if (size === this.#said) return;
    if (size > 1 || (size === 1 && (this.#said > 1 || this.mode))) announce(`${size} selected.`);
    else if (size === 0 && this.#said > 1) announce('Nothing is selected.');
    this.#said = size;
  }

  #finish() {
    this.#selection.clear();
    this.#turn(false);
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
