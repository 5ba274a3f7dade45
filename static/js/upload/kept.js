// @ts-check
// Keeps uploads in this browser that could not be sent yet, so that they are sent later although the page was closed.
//
// An upload is kept as soon as the connection is lost or the page is hidden, which may be its end on a phone, and otherwise
// when it takes long: the usual quick upload costs nothing.

import { KeptStore } from './kept-store.js';
import { Pages } from './pages.js';

/** @typedef {import('./item.js').Upload} Upload */

/** The time after which an upload is kept that has not been stored. */
const LONG_MS = 10_000;
/** The most that a page keeps. Further uploads end with the page. */
const MAX_COUNT = 1_000;
const MAX_BYTES = 1 << 30;

export class KeptUploads {
  /** The uploads of this page that are not stored yet. @type {Set<Upload>} */
  #open = new Set();
  /** The files that are kept, or being written, by the id of the upload. @type {Map<string, { file: File, done: boolean }>} */
  #kept = new Map();
  #bytes = 0;
  #timer = 0;
  #isTaking = false;
  #store = new KeptStore();
  #pages = new Pages();

  constructor() {
    document.addEventListener('visibilitychange', () => document.hidden && this.#keepAll());
  }

  /** Called after every change of an upload. @param {Upload} upload */
  follow(upload) {
    const { state, retryable } = upload;
    if (state === 'saved' || state === 'duplicate' || (state === 'failed' && !retryable)) return this.forget(upload);
    this.#open.add(upload);
    if (state === 'offline' || state === 'paused' || document.hidden) this.#keep(upload);
    else if (!this.#kept.has(upload.id)) this.#timer ||= window.setTimeout(() => this.#keepAll(), LONG_MS);
  }

  /** The upload has ended: stored, canceled or refused. @param {Upload} upload */
  forget(upload) {
    const { id } = upload;
    this.#open.delete(upload);
    if (this.#open.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = 0;
    }
    const kept = this.#kept.get(id);
    if (!kept) return;
    this.#kept.delete(id);
    this.#bytes -= kept.file.size;
    void this.#store.delete(id);
  }

  /** True if the upload outlives the page. @param {Upload} upload */
  has({ id }) {
    return this.#kept.get(id)?.done ?? false;
  }

  /**
   * Takes over what pages have left that are closed now.
   * @returns {Promise<Upload[]>} In the order in which they were added.
   */
  async takeOver() {
    if (this.#isTaking || (await this.#store.isEmpty())) return [];
    this.#isTaking = true;
    const alive = await this.#pages.alive();
    const uploads = await this.#store.claim(this.#pages.id, (owner) => !alive.has(owner));
    this.#isTaking = false;
    for (const { id, file } of uploads) this.#note(id, file).done = true;
    return uploads;
  }

  #keepAll() {
    this.#timer = 0;
    for (const upload of this.#open) this.#keep(upload);
  }

  /** @param {Upload} upload */
  async #keep(upload) {
    const { id, file } = upload;
    const before = this.#kept.get(id);
    // Its file changes when it is converted or shrunk.
    if (before?.file === file) return;
    if (this.#kept.size >= MAX_COUNT || this.#bytes + file.size > MAX_BYTES) return;
    const kept = this.#note(id, file);
    kept.done = await this.#store.put(upload, this.#pages.id);
  }

  /**
   * @param {string} id
   * @param {File} file
   */
  #note(id, file) {
    const kept = { file, done: false };
    this.#bytes += file.size - (this.#kept.get(id)?.file.size ?? 0);
    this.#kept.set(id, kept);
    return kept;
  }
}
