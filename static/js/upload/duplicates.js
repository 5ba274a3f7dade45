// @ts-check
// Finds duplicates on the board by the SHA-256 of a file, before it is sent.

import { onBoard } from '../ui/site.js';
import { sha256Of } from './hashing.js';

/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('./item.js').Twin} Twin */
/** @typedef {import('./item.js').Upload} Upload */

/** Hashing holds whole files in memory, and lookups use connections. */
const MAX_CONCURRENT = 2;
/** A slow lookup counts as no duplicate: rather add an image twice than not at all. */
const TIMEOUT_MS = 5_000;

export class Duplicates {
  /** The uploads of this page, by hash, with the result of the lookup. @type {Map<string, { upload: Upload, twin: Promise<Twin | null> }>} */
  #adding = new Map();
  /** The end of the last comparison of files of each size: only files of one size can be equal. @type {Map<number, Promise<void>>} */
  #turns = new Map();
  /** @type {(() => void)[]} */
  #waiting = [];
  #running = 0;
  #images;
  #isCurrent;

  /**
   * @param {Images} images
   * @param {() => boolean} isCurrent Whether `images` has all images. Otherwise the server is asked.
   */
  constructor(images, isCurrent) {
    this.#images = images;
    this.#isCurrent = isCurrent;
  }

  /**
   * Takes a turn in the order of the uploads, so that of two equal files the second is the duplicate.
   * @param {Upload} upload
   * @returns {{ before: Promise<void>, leave: () => void }} `before` ends with the turns of earlier files of the same size.
   */
  enter({ file: { size } }) {
    const before = this.#turns.get(size) ?? Promise.resolve();
    let leave = () => {};
    /** @type {Promise<void>} */
    const turn = new Promise((resolve) => {
      leave = () => {
        if (this.#turns.get(size) === turn) this.#turns.delete(size);
        resolve();
      };
    });
    this.#turns.set(size, turn);
    return { before, leave };
  }

  /**
   * @param {Upload} upload
   * @returns {Promise<Twin | null>} Null if none is known.
   */
  async twinOf(upload) {
    const hash = await this.#hash(upload);
    if (!hash) return null;
    const other = this.#adding.get(hash);
    if (other) {
      const { id, fileName } = other.upload;
      return (await other.twin) ?? { id, fileName, there: false };
    }
    const twin = this.#find(hash, upload.id);
    this.#adding.set(hash, { upload, twin });
    if (await twin) this.#adding.delete(hash);
    return twin;
  }

  /**
   * Ends the upload's part in comparisons. If it was saved, the board knows it from now on.
   * @param {Upload} upload
   */
  release(upload) {
    for (const [hash, other] of this.#adding) if (other.upload === upload) this.#adding.delete(hash);
  }

  /**
   * @param {string} hash
   * @param {string} own The id of the upload, whose image the board has if the answer was lost.
   * @returns {Promise<Twin | null>}
   */
  async #find(hash, own) {
    let isCertain = this.#isCurrent();
    for (const { id, fileName, sha256 } of this.#images.values()) {
      if (id === own) continue;
      if (sha256 === hash) return { id, fileName, there: true };
      // The records of batches have the first digits only, those of earlier versions none: ask the server.
      if (!sha256 || hash.startsWith(sha256)) isCertain = false;
    }
    if (isCertain) return null;
    try {
      const response = await fetch(onBoard('images', { sha256: hash, limit: '1' }), { signal: AbortSignal.timeout(TIMEOUT_MS) });
      /** @type {{ images: ImageRecord[] }} */
      const { images } = await response.json();
      return images.length > 0 && images[0].id !== own ? { id: images[0].id, fileName: images[0].fileName, there: true } : null;
    } catch {
      return null;
    }
  }

  /** @param {Upload} upload */
  async #hash({ file }) {
    if (this.#running >= MAX_CONCURRENT) await new Promise((resolve) => this.#waiting.push(() => resolve(null)));
    this.#running += 1;
    try {
      return await sha256Of(file);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
