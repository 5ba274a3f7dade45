// @ts-check
// Reserves placements for the uploads of this page, and announces the uploads to other viewers.

/** @typedef {import('../feed/feed.js').Feed} Feed */
/** @typedef {import('./item.js').Upload} Upload */

/** The number of uploads that the server lets a session announce. Further ones wait. */
const MAX_OPEN = 100;
/** The time after which an upload is sent without a placement; the server then chooses one when it is stored. */
const TIMEOUT_MS = 3_000;

export class Reservations {
  /** The announced uploads, by id. @type {Map<string, Upload>} */
  #open = new Map();
  /** @type {(() => void)[]} */
  #waiting = [];
  #feed;
  #onPlace;

  /**
   * @param {Feed} feed
   * @param {(upload: Upload, place: { x: number, y: number, w: number }) => void} onPlace
   */
  constructor(feed, onPlace) {
    this.#feed = feed;
    this.#onPlace = onPlace;
  }

  /**
   * Reserves a placement. Resolves also if there is none: the upload does not depend on it.
   * @param {Upload} upload
   * @param {() => boolean} isWanted False once the upload is canceled.
   */
  async reserve(upload, isWanted) {
    if (!upload.pixels) return;
    while (isWanted() && !this.#open.has(upload.id) && this.#open.size >= MAX_OPEN) {
      await new Promise((resolve) => this.#waiting.push(() => resolve(null)));
    }
    if (!isWanted()) {
      // A canceled upload passes its turn on.
      this.#waiting.shift()?.();
      return;
    }
    this.#open.set(upload.id, upload);
    let timer = 0;
    const timeout = new Promise((resolve) => (timer = window.setTimeout(resolve, TIMEOUT_MS)));
    await Promise.race([this.#begin(upload), timeout]);
    clearTimeout(timer);
  }

  /**
   * Ends the announcement of an upload, and its reservation unless the image is stored.
   * @param {Upload} upload
   */
  end({ id, state }) {
    if (!this.#open.delete(id)) return;
    const data = state === 'saved' ? { upload: id, id } : { upload: id };
    this.#feed.send('Upload:end', data).catch(() => {});
    this.#waiting.shift()?.();
  }

  /** Announces the uploads again: the server forgets them when a session ends. */
  resume() {
    for (const upload of this.#open.values()) void this.#begin(upload);
  }

  /** @param {Upload} upload */
  async #begin(upload) {
    const { id, fileName, pixels, point } = upload;
    const command = { upload: id, fileName, ...pixels, ...point };
    // A refusal is ignored, as is a lost connection: the upload then has no placeholder.
    const answer = await this.#feed.send('Upload:begin', command).catch(() => null);
    if (answer?.place && this.#open.has(id)) this.#onPlace(upload, answer.place);
  }
}
