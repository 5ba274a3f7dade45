// @ts-check
// The images on the board: a copy of the database that stays correct across interruptions.

/** @typedef {import('./types.js').ImageRecord} ImageRecord */

/**
 * `live` is false for changes that are only caught up on after connecting.
 * @typedef {object} ImagesHandlers
 * @property {(record: ImageRecord, before: ImageRecord | undefined, live: boolean) => void} onUpdate
 * @property {(record: ImageRecord, live: boolean, by?: string) => void} onRemove With the name of the person who deleted it.
 */

export class Images {
  /** Changes with every change of an image. */
  version = 0;
  /** @type {Map<string, ImageRecord>} */
  #records = new Map();
  /** Ids ascending, which is oldest first (UUIDv7). @type {string[]} */
  #order = [];
  /** The ids received since `initializing`; null once `ready`. @type {Set<string> | null} */
  #received = new Set();
  #handlers;

  /** @param {ImagesHandlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  get size() {
    return this.#records.size;
  }

  /** The ids, oldest first. @returns {readonly string[]} */
  get ids() {
    return this.#order;
  }

  /** The order of the images, oldest first. @returns {import('../lightbox/lightbox.js').Order} */
  get order() {
    return { size: this.size, idAt: (at) => this.#order[at], at: ({ id }) => position(this.#order, id) };
  }

  /** @param {string} id */
  get(id) {
    return this.#records.get(id);
  }

  values() {
    return this.#records.values();
  }

  /** The server starts to send all images. */
  begin() {
    this.#received = new Set();
  }

  /** The server has sent all images: any other has been deleted. */
  ready() {
    const received = this.#received;
    this.#received = null;
    if (!received) return;
    for (const id of [...this.#order]) {
      if (!received.has(id)) this.#remove(id, false);
    }
  }

  /** @param {ImageRecord} record */
  update(record) {
    if (![record.x, record.y, record.w, record.z].every(Number.isFinite)) return;
    const before = this.#records.get(record.id);
    this.version += 1;
    this.#received?.add(record.id);
    this.#records.set(record.id, record);
    if (!before) this.#order.splice(position(this.#order, record.id), 0, record.id);
    this.#handlers.onUpdate(record, before, this.#received === null);
  }

  /**
   * @param {string} id
   * @param {string} [by]
   */
  delete(id, by) {
    this.#received?.delete(id);
    this.#remove(id, this.#received === null, by);
  }

  /** The highest `z`. */
  front() {
    let front = 0;
    for (const { z } of this.#records.values()) front = Math.max(front, z);
    return front;
  }

  /**
   * @param {string} id
   * @param {boolean} live
   * @param {string} [by]
   */
  #remove(id, live, by) {
    const record = this.#records.get(id);
    if (!record) return;
    this.version += 1;
    this.#records.delete(id);
    this.#order.splice(position(this.#order, id), 1);
    this.#handlers.onRemove(record, live, by);
  }
}

/**
 * The index of `id` in an ascending list, or the index at which to insert it.
 * @param {readonly string[]} ids
 * @param {string} id
 */
export function position(ids, id) {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
