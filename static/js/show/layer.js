// @ts-check
// One of the two layers of the show: an <img> that is loaded while hidden and then faded in. It is reused for days.

import { urlOf } from '../feed/image-urls.js';

/** The time in which an image must load. A request can also hang without an error. */
const LOAD_TIMEOUT_MS = 60_000;

export class Layer {
  /** The image that it holds; empty if none. */
  id = '';
  #image;

  /** @param {HTMLImageElement} image */
  constructor(image) {
    this.#image = image;
  }

  /**
   * Loads and decodes the full image.
   * @param {import('../feed/types.js').ImageRecord} record
   * @returns {Promise<boolean>} False if it cannot be shown.
   */
  async load(record) {
    const image = this.#image;
    this.clear();
    this.id = record.id;
    image.src = urlOf(record);
    image.classList.toggle('is-opaque', record.type === 'image/jpeg');
    let timer = 0;
    const timeout = new Promise((resolve) => (timer = window.setTimeout(resolve, LOAD_TIMEOUT_MS, false)));
    const loaded = await Promise.race([image.decode().then(() => true, () => false), timeout]);
    clearTimeout(timer);
    return Boolean(loaded) && image.naturalWidth > 0;
  }

  /** Fades the loaded image in. @param {string} text Its alternative text. */
  show(text) {
    const { naturalWidth, naturalHeight, style } = this.#image;
    style.setProperty('--ratio', String(naturalWidth / naturalHeight));
    style.setProperty('--natural', `${naturalWidth}px`);
    this.describe(text);
    this.#image.classList.remove('is-cut');
    this.#image.classList.add('is-shown');
    this.#image.ariaHidden = null;
  }

  /** @param {string} text */
  describe(text) {
    this.#image.alt = text;
  }

  /** Fades out. */
  hide() {
    this.#image.classList.remove('is-shown');
    this.#image.ariaHidden = 'true';
  }

  /** Hides at once, and releases the image. */
  clear() {
    this.hide();
    this.#image.classList.add('is-cut');
    this.#image.removeAttribute('src');
    this.#image.alt = '';
    this.id = '';
  }
}
