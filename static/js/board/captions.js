// @ts-check
// Editing captions in place, below the images. A caption that is being edited is never replaced by the change of somebody
// else; the last to save wins.

import { mayDescribe } from '../access/access.js';
import { find } from '../ui/page.js';
import { notice } from '../ui/notice.js';
import { leftText, oneLine } from '../ui/text.js';
import { idOf } from './board.js';

/** @typedef {import('./board.js').Board} Board */
/** @typedef {import('../feed/images.js').Images} Images */

const CHANGED = 'Changed by someone else. Saving replaces it.';

export class Captions {
  #board;
  #images;
  #template;
  #onSave;
  /** The open editor. @type {{ id: string, form: HTMLElement, area: HTMLTextAreaElement, before: string, saving: boolean } | null} */
  #open = null;

  /**
   * @param {HTMLElement} layer Holds the tiles.
   * @param {{ board: Board, images: Images, template: HTMLTemplateElement }} parts
   * @param {(id: string, text: string) => Promise<void>} onSave Rejects if the caption could not be saved.
   */
  constructor(layer, { board, images, template }, onSave) {
    this.#board = board;
    this.#images = images;
    this.#template = template;
    this.#onSave = onSave;
    layer.addEventListener('dblclick', ({ target }) => {
      if (/** @type {Element} */ (target).closest('[data-name]')) this.edit(idOf(target));
    });
    layer.addEventListener('keydown', (event) => {
      if (event.key !== 'F2' || !(/** @type {Element} */ (event.target).matches('[data-image]'))) return;
      if (!mayDescribe(this.#images.get(idOf(event.target)))) return;
      event.preventDefault();
      this.edit(idOf(event.target));
    });
  }

  /** @param {string} id */
  edit(id) {
    const record = this.#images.get(id);
    const tile = this.#board.tile(id);
    // The image of an editor whose text could not be saved may be gone.
    if (this.#open && !this.#open.form.isConnected) this.#open = null;
    if (this.#open) return this.#open.area.focus();
    if (!record || !tile || !mayDescribe(record)) return;
    const form = /** @type {HTMLElement} */ (this.#template.content.firstElementChild?.cloneNode(true));
    const area = /** @type {HTMLTextAreaElement} */ (find(form, 'textarea'));
    area.defaultValue = record.caption ?? '';
    this.#open = { id, form, area, before: area.value, saving: false };
    this.#listen(form, area);
    tile.element.append(form);
    tile.element.classList.add('is-captioning');
    area.focus({ preventScroll: true });
    area.select();
  }

  /** @param {import('../feed/types.js').ImageRecord} record A changed image. */
  changed({ id, caption = '' }) {
    const open = this.#open;
    if (open?.id !== id || caption === open.before || open.saving) return;
    open.before = caption;
    this.#say(CHANGED);
  }

  /**
   * The image is deleted, maybe while its caption is being written: the keys that follow must not go to another image.
   * @param {string} id
   */
  deleted(id) {
    const open = this.#open;
    if (open?.id !== id) return;
    const text = oneLine(open.area.value);
    const isWritten = text !== '' && text !== oneLine(open.area.defaultValue);
    // Nothing gets the focus instead: keys on the board act on the selection.
    this.#close(false);
    if (isWritten) notice(`The photo was deleted before its caption was saved: “${text}”`);
  }

  /**
   * @param {HTMLElement} form
   * @param {HTMLTextAreaElement} area
   */
  #listen(form, area) {
    // The board has gestures and keys of its own.
    for (const type of ['pointerdown', 'click', 'dblclick', 'keydown']) form.addEventListener(type, (event) => event.stopPropagation());
    area.addEventListener('keydown', (event) => {
      if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
      event.preventDefault();
      if (event.key === 'Escape') this.#close(true);
      else void this.#save(true);
    });
    area.addEventListener('input', () => this.#say(leftText(area)));
    area.addEventListener('blur', () => void this.#save(false));
  }

  /** @param {boolean} refocus Whether the image gets the focus. */
  async #save(refocus) {
    const open = this.#open;
    if (!open || open.saving) return;
    const text = oneLine(open.area.value);
    const isSame = text === (this.#images.get(open.id)?.caption ?? '') || oneLine(open.area.defaultValue) === text;
    if (isSame || !this.#images.get(open.id)) return this.#close(refocus);
    open.saving = true;
    try {
      await this.#onSave(open.id, text);
      this.#close(refocus);
    } catch (error) {
      open.saving = false;
      notice(`The caption could not be saved: ${/** @type {Error} */ (error).message}.`);
    }
  }

  /** @param {boolean} refocus */
  #close(refocus) {
    const open = this.#open;
    this.#open = null;
    if (!open) return;
    const tile = this.#board.tile(open.id);
    if (refocus && open.form.contains(document.activeElement)) tile?.frame.focus({ preventScroll: true });
    open.form.remove();
    tile?.element.classList.remove('is-captioning');
  }

  /** @param {string} text */
  #say(text) {
    if (this.#open) find(this.#open.form, '[data-text-state]').textContent = text;
  }
}
