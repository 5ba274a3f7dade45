// @ts-check
// Whether the board has a image already: by the hash of its bytes, before they are sent.

import { sha256Of } from './hashing.js';

/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('./item.js').Twin} Twin */
/** @typedef {import('./item.js').Upload} Upload */

/** Reading files takes memory, and asking takes connections. */
const AT_ONCE = 2;
/** Adding a image twice is better than waiting for an answer. */
const PATIENCE_MS = 5_000;

export class Duplicates {
  /** What this page is adding, by hash; with what became of the question. @type {Map<string, { upload: Upload, twin: Promise<Twin | null> }>} */
  #adding = new Map();
  /** @type {(() => void)[]} */
  #waiting = [];
  #running = 0;
  #images;

  /** @param {Images} images */
  constructor(images) {
    this.#images = images;
  }

  /**
   * @param {Upload} upload
   * @returns {Promise<Twin | null>} Null if there is none, as far as can be told.
   */
  async twinOf(upload) {
    const hash = await this.#hash(upload);
    if (!hash) return null;
    const other = this.#adding.get(hash);
    if (other) {
      const { id, fileName } = other.upload;
      return (await other.twin) ?? { id, fileName, there: false };
    }
    const twin = this.#find(hash);
    this.#adding.set(hash, { upload, twin });
    if (await twin) this.#adding.delete(hash);
    return twin;
  }

  /**
   * It is over, one way or the other: saved it can be found on the board.
   * @param {Upload} upload
   */
  release(upload) {
    for (const [hash, other] of this.#adding) if (other.upload === upload) this.#adding.delete(hash);
  }

  /**
   * @param {string} hash
   * @returns {Promise<Twin | null>}
   */
  async #find(hash) {
    for (const { id, fileName, sha256 } of this.#images.values()) {
      if (sha256 === hash) return { id, fileName, there: true };
    }
    try {
      const response = await fetch(`/images?sha256=${hash}&limit=1`, { signal: AbortSignal.timeout(PATIENCE_MS) });
      /** @type {{ images: ImageRecord[] }} */
      const { images } = await response.json();
      return images.length > 0 ? { id: images[0].id, fileName: images[0].fileName, there: true } : null;
    } catch {
      return null;
    }
  }

  /** @param {Upload} upload */
  async #hash({ file }) {
    if (this.#running >= AT_ONCE) await new Promise((resolve) => this.#waiting.push(() => resolve(null)));
    this.#running += 1;
    try {
      return await sha256Of(file);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
