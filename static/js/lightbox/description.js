// @ts-check
// The description (alt text) of an image: a text field that is saved on Enter and when it loses the focus.

import { notice } from '../ui/notice.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

const SAVED_MS = 3_000;

export class Description {
  #id = '';
  /** The saved text. */
  #stored = '';
  #area;
  #state;
  #timer = 0;
  #onStore;

  /**
   * @param {HTMLElement} form
   * @param {(id: string, alt: string) => Promise<void>} onStore
   */
  constructor(form, onStore) {
    this.#onStore = onStore;
    this.#area = /** @type {HTMLTextAreaElement} */ (form.querySelector('textarea'));
    this.#state = /** @type {HTMLElement} */ (form.querySelector('[data-alt-state]'));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.keep();
    });
    this.#area.addEventListener('change', () => this.keep());
    this.#area.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      this.keep();
    });
  }

  /** @param {ImageRecord} record Shows another image. */
  show({ id, alt = '' }) {
    this.#id = id;
    this.#stored = alt;
    this.#area.value = alt;
    this.#say('');
  }

  /** @param {ImageRecord} record The current image, changed. */
  update({ id, alt = '' }) {
    if (id !== this.#id || alt === this.#stored) return;
    const edited = this.#area.value.trim() !== this.#stored;
    this.#stored = alt;
    if (!edited) this.#area.value = alt;
  }

  /** Saves the text if it was edited. */
  async keep() {
    const alt = this.#area.value.trim();
    const id = this.#id;
    if (!id || alt === this.#stored) return;
    const before = this.#stored;
    this.#stored = alt;
    try {
      await this.#onStore(id, alt);
      if (this.#id === id) this.#say('Saved.');
    } catch (error) {
      if (this.#id === id && this.#stored === alt) this.#stored = before;
      notice(`The description could not be saved: ${/** @type {Error} */ (error).message}.`);
    }
  }

  /** @param {string} text */
  #say(text) {
    clearTimeout(this.#timer);
    this.#state.textContent = text;
    if (text) this.#timer = window.setTimeout(() => (this.#state.textContent = ''), SAVED_MS);
  }
}
