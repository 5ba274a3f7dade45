// @ts-check
// Moving and resizing: what this page has changed and the database has not confirmed. Until then an image is shown where
// this page put it; after that, where the database says, so that everybody ends with the same.

import { forEachConcurrently } from '../feed/queue.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../feed/feed.js').Feed} Feed */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {{ x: number, y: number, w: number, z: number }} Placement */

/**
 * - `moving`: in a person's hand
 * - `settling`: the last word is to be said
 * - `settled`: it is said; waiting for the database to say the same
 * @typedef {object} Held
 * @property {Placement} from
 * @property {Placement} now
 * @property {Set<keyof Placement>} changed Only these are sent, so that one may resize what another one moves.
 * @property {'moving' | 'settling' | 'settled'} phase
 * @property {Promise<void> | null} onItsWay
 * @property {number} timer
 * @property {boolean} unsent The connection was lost before the last word was acknowledged.
 */

/** At most 30 updates a second, of all images together. */
const INTERVAL_MS = 34;
/** The acknowledgement and the change itself come on different ways, in either order. */
const GRACE_MS = 1_500;

export class Moves {
  /** @type {Map<string, Held>} */
  #held = new Map();
  /** What has moved since it was last told, the longest untold first. @type {Set<string>} */
  #untold = new Set();
  #timer = 0;
  #feed;
  #images;
  #onChange;
  #onRefused;

  /**
   * @param {Feed} feed
   * @param {Images} images
   * @param {{ onChange: (id: string) => void, onRefused: (record: ImageRecord, error: Error) => void }} handlers
   */
  constructor(feed, images, { onChange, onRefused }) {
    this.#feed = feed;
    this.#images = images;
    this.#onChange = onChange;
    this.#onRefused = onRefused;
  }

  /**
   * Where this page has put an image, if that is not settled.
   * @param {string} id
   * @returns {Placement | undefined}
   */
  at(id) {
    return this.#held.get(id)?.now;
  }

  /**
   * Picks images up: they come to the front, in the order in which they lay on each other.
   * @param {string[]} ids
   * @returns {Map<string, Placement> | null} Where they are; null if nothing can be moved now.
   */
  begin(ids) {
    if (this.#feed.state !== 'ready') return null;
    const records = ids.flatMap((id) => this.#images.get(id) ?? []);
    const depth = (/** @type {ImageRecord} */ { id, z }) => this.at(id)?.z ?? z;
    records.sort((a, b) => depth(a) - depth(b) || (a.id < b.id ? -1 : 1));
    const inFront = this.#areInFront(records, depth);
    const front = this.#front();
    records.forEach((record, at) => this.#pickUp(record, inFront ? depth(record) : front + 1 + at));
    return records.length > 0 ? new Map(records.map(({ id }) => [id, { .../** @type {Held} */ (this.#held.get(id)).now }])) : null;
  }

  /**
   * Whether nothing else lies before or between them.
   * @param {ImageRecord[]} records From back to front.
   * @param {(record: ImageRecord) => number} depth
   */
  #areInFront(records, depth) {
    const own = new Set(records.map(({ id }) => id));
    const lowest = records.length > 0 ? depth(records[0]) : 0;
    for (const record of this.#images.values()) if (!own.has(record.id) && depth(record) >= lowest) return false;
    return true;
  }

  #front() {
    let front = this.#images.front();
    for (const { now } of this.#held.values()) front = Math.max(front, now.z);
    return front;
  }

  /**
   * @param {ImageRecord} record
   * @param {number} front The new z.
   */
  #pickUp(record, front) {
    const before = this.#held.get(record.id);
    clearTimeout(before?.timer);
    const { x, y, w, z } = before?.now ?? record;
    this.#held.set(record.id, {
      from: { x, y, w, z },
      now: { x, y, w, z: front },
      changed: new Set(front === z ? [] : ['z']),
      phase: 'moving',
      onItsWay: before?.onItsWay ?? null,
      timer: 0,
      unsent: false,
    });
    this.#onChange(record.id);
  }

  /**
   * @param {string} id
   * @param {Partial<Placement>} change
   */
  to(id, change) {
    const held = this.#held.get(id);
    if (held?.phase !== 'moving') return;
    for (const key of /** @type {(keyof Placement)[]} */ (Object.keys(change))) {
      held.now[key] = Math.round((change[key] ?? held.now[key]) * 10) / 10;
      held.changed.add(key);
    }
    this.#onChange(id);
    this.#untold.add(id);
    this.#timer ||= window.setTimeout(() => this.#tell(), INTERVAL_MS);
  }

  /**
   * Puts them down.
   * @param {string[]} ids
   */
  end(ids) {
    /** @type {[string, Held][]} */
    const ending = [];
    for (const id of ids) {
      const held = this.#held.get(id);
      if (held?.phase !== 'moving') continue;
      this.#untold.delete(id);
      held.phase = 'settling';
      if (held.changed.size === 0) this.#release(id, held);
      else ending.push([id, held]);
    }
    void forEachConcurrently(ending, ([id, held]) => this.#settle(id, held));
  }

  /**
   * Puts them back where they were.
   * @param {string[]} ids
   */
  cancel(ids) {
    for (const id of ids) {
      const held = this.#held.get(id);
      if (held?.phase !== 'moving') continue;
      held.now = { ...held.from };
      this.#onChange(id);
    }
    this.end(ids);
  }

  /**
   * The database has said where an image is.
   * @param {ImageRecord} record
   */
  seen(record) {
    const held = this.#held.get(record.id);
    if (held?.phase !== 'settled') return;
    const same = [...held.changed].every((key) => Math.abs(held.now[key] - record[key]) < 0.05);
    if (same) this.#release(record.id, held);
  }

  /** @param {string} id An image that is gone. */
  forget(id) {
    clearTimeout(this.#held.get(id)?.timer);
    this.#held.delete(id);
    this.#untold.delete(id);
  }

  /** The connection is back: says the last words that were lost with it. */
  resume() {
    const unsent = [...this.#held].filter(([, held]) => held.unsent);
    void forEachConcurrently(unsent, ([id, held]) => this.#settle(id, held));
  }

  /** Tells where one image is on its way; the next one at the next tick. Of each image only one word is under way. */
  #tell() {
    this.#timer = 0;
    for (const id of this.#untold) {
      const held = this.#held.get(id);
      if (held?.onItsWay) continue;
      this.#untold.delete(id);
      if (held?.phase !== 'moving') continue;
      const arrived = () => {
        held.onItsWay = null;
      };
      held.onItsWay = this.#feed.send('Image:update', { id, ...pick(held), moving: true }).then(arrived, arrived);
      break;
    }
    if (this.#untold.size > 0) this.#timer = window.setTimeout(() => this.#tell(), INTERVAL_MS);
  }

  /**
   * @param {string} id
   * @param {Held} held
   */
  async #settle(id, held) {
    await held.onItsWay;
    if (this.#held.get(id) !== held || held.phase === 'moving') return;
    held.unsent = false;
    held.phase = 'settled';
    try {
      await this.#feed.send('Image:update', { id, ...pick(held) });
      if (this.#held.get(id) === held) held.timer = window.setTimeout(() => this.#release(id, held), GRACE_MS);
    } catch (error) {
      if (this.#held.get(id) !== held) return;
      if (this.#feed.state === 'ready') this.#refuse(id, held, /** @type {Error} */ (error));
      else held.unsent = true;
    }
  }

  /**
   * @param {string} id
   * @param {Held} held
   * @param {Error} error
   */
  #refuse(id, held, error) {
    const record = this.#images.get(id);
    this.#release(id, held);
    if (record) this.#onRefused(record, error);
  }

  /**
   * @param {string} id
   * @param {Held} held
   */
  #release(id, held) {
    if (this.#held.get(id) !== held) return;
    clearTimeout(held.timer);
    this.#held.delete(id);
    this.#onChange(id);
  }
}

/**
 * What has been changed, and to what.
 * @param {Held} held
 * @returns {Partial<Placement>}
 */
function pick({ now, changed }) {
  return Object.fromEntries([...changed].map((key) => [key, now[key]]));
}
