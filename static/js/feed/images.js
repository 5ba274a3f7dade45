// @ts-check
// The images that the board's feed has named: a copy of what the database holds, kept right across interruptions.

/** @typedef {import('./types.js').ImageRecord} ImageRecord */

/**
 * `live` tells what happens while one looks from what is only being caught up on.
 * @typedef {object} ImagesHandlers
 * @property {(record: ImageRecord, before: ImageRecord | undefined, live: boolean) => void} onUpdate
 * @property {(record: ImageRecord, live: boolean) => void} onRemove
 */

export class Images {
  /** @type {Map<string, ImageRecord>} */
  #records = new Map();
  /** Ids ascending, which is oldest first (UUIDv7). @type {string[]} */
  #order = [];
  /** What has been named since `initializing`; null once `ready`. @type {Set<string> | null} */
  #named = new Set();
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

  /** @param {string} id */
  get(id) {
    return this.#records.get(id);
  }

  values() {
    return this.#records.values();
  }

  /** The server starts to name everything there is. */
  begin() {
    this.#named = new Set();
  }

  /** The server has named everything: what was not named is gone. */
  ready() {
    const named = this.#named;
    this.#named = null;
    if (!named) return;
    for (const id of [...this.#order]) {
      if (!named.has(id)) this.#remove(id, false);
    }
  }

  /** @param {ImageRecord} record */
  update(record) {
    if (![record.x, record.y, record.w, record.z].every(Number.isFinite)) return;
    const before = this.#records.get(record.id);
    this.#named?.add(record.id);
    this.#records.set(record.id, record);
    if (!before) this.#order.splice(position(this.#order, record.id), 0, record.id);
    this.#handlers.onUpdate(record, before, this.#named === null);
  }

  /** @param {string} id */
  delete(id) {
    this.#named?.delete(id);
    this.#remove(id, this.#named === null);
  }

  /** The `z` that lies in front of everything. */
  front() {
    let front = 0;
    for (const { z } of this.#records.values()) front = Math.max(front, z);
    return front;
  }

  /**
   * @param {string} id
   * @param {boolean} live
   */
  #remove(id, live) {
    const record = this.#records.get(id);
    if (!record) return;
    this.#records.delete(id);
    this.#order.splice(position(this.#order, id), 1);
    this.#handlers.onRemove(record, live);
  }
}

/**
 * Where `id` stands, or belongs, in an ascending list.
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
