// @ts-check
// A text about an image (its caption or description) in the lightbox: a field that is saved on Enter and when it loses the
// focus. A text that is being edited is never replaced by the change of somebody else; the last to save wins.

import { find } from '../ui/page.js';
import { notice } from '../ui/notice.js';
import { leftText, oneLine } from '../ui/text.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../feed/types.js').TextName} TextName */

const SAVED_MS = 3_000;

export class TextField {
  #id = '';
  /** The saved text. */
  #stored = '';
  #name;
  #area;
  #state;
  #timer = 0;
  #onStore;

  /**
   * @param {TextName} name
   * @param {HTMLElement} form
   * @param {(id: string, text: string) => Promise<void>} onStore
   */
  constructor(name, form, onStore) {
    this.#name = name;
    this.#onStore = onStore;
    this.#area = /** @type {HTMLTextAreaElement} */ (find(form, 'textarea'));
    this.#state = find(form, '[data-text-state]');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.keep();
    });
    this.#area.addEventListener('change', () => this.keep());
    this.#area.addEventListener('input', () => this.#say(leftText(this.#area)));
    this.#area.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      this.keep();
    });
  }

  focus() {
    this.#area.focus();
  }

  /** @param {ImageRecord} record Shows another image. */
  show(record) {
    this.#id = record.id;
    this.#stored = record[this.#name] ?? '';
    this.#area.value = this.#stored;
    this.#say('');
  }

  /** @param {ImageRecord} record The current image, changed. */
  update(record) {
    const text = record[this.#name] ?? '';
    if (record.id !== this.#id || text === this.#stored) return;
    const edited = this.#text !== this.#stored;
    this.#stored = text;
    if (!edited) this.#area.value = text;
    else if (this.#text !== text) this.#say('Changed by someone else. Saving replaces it.');
  }

  /** Saves the text if it was edited. */
  async keep() {
    const text = this.#text;
    const id = this.#id;
    if (!id || text === this.#stored) return;
    const before = this.#stored;
    this.#stored = text;
    try {
      await this.#onStore(id, text);
      if (this.#id === id) this.#say('Saved.', SAVED_MS);
    } catch (error) {
      if (this.#id === id && this.#stored === text) this.#stored = before;
      const what = this.#name === 'alt' ? 'description' : 'caption';
      notice(`The ${what} could not be saved: ${/** @type {Error} */ (error).message}.`);
    }
  }

  get #text() {
    return this.#name === 'alt' ? this.#area.value.trim() : oneLine(this.#area.value);
  }

  /**
   * @param {string} text
   * @param {number} [shownMs] For good news. Other texts stay.
   */
  #say(text, shownMs) {
    clearTimeout(this.#timer);
    this.#state.textContent = text;
    this.#state.classList.toggle('is-saved', shownMs !== undefined);
    if (shownMs) this.#timer = window.setTimeout(() => (this.#state.textContent = ''), shownMs);
  }
}
