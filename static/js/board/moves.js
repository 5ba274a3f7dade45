// @ts-check
// Moving and resizing. An image is shown where this page has put it until the database confirms the change, and from then
// on where the database says, so that all viewers converge.

import { mayChange } from '../access/access.js';
import { forEachConcurrently } from '../feed/queue.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../feed/feed.js').Feed} Feed */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {{ x: number, y: number, w: number, z: number }} Placement */

/**
 * - `moving`: the user is moving it
 * - `settling`: the final placement is about to be sent
 * - `settled`: it has been sent; waiting for the feed to confirm it
 * @typedef {object} Held
 * @property {Placement} from
 * @property {Placement} now
 * @property {Set<keyof Placement>} changed Only these are sent, so that one viewer can resize an image while another moves it.
 * @property {'moving' | 'settling' | 'settled'} phase
 * @property {Promise<void> | null} pendingUpdate
 * @property {number} timer
 * @property {boolean} unsent The connection was lost before the final placement was acknowledged.
 */

/** The interval between updates, for all images together: at most 30 a second. */
const INTERVAL_MS = 34;
/** The acknowledgement and the change arrive separately, in either order. An image is released after this time at the latest. */
const GRACE_MS = 1_500;

export class Moves {
  /** @type {Map<string, Held>} */
  #held = new Map();
  /** Images that have moved since their last update, the longest waiting first. @type {Set<string>} */
  #outdated = new Set();
  #timer = 0;
  #feed;
  #images;
  #onChange;
  #onEnd;
  #onRefused;

  /**
   * @param {Feed} feed
   * @param {Images} images
   * @param {object} handlers
   * @param {(id: string) => void} handlers.onChange
   * @param {(changes: { id: string, before: Placement, after: Placement }[]) => void} handlers.onEnd A move has ended.
   * @param {(record: ImageRecord, error: Error) => void} handlers.onRefused
   */
  constructor(feed, images, { onChange, onEnd, onRefused }) {
    this.#feed = feed;
    this.#images = images;
    this.#onChange = onChange;
    this.#onEnd = onEnd;
    this.#onRefused = onRefused;
  }

  /**
   * The unconfirmed placement of an image.
   * @param {string} id
   * @returns {Placement | undefined}
   */
  at(id) {
    return this.#held.get(id)?.now;
  }

  /**
   * Starts a move. The images come to the front and keep their order among themselves. Those that may not be changed stay.
   * @param {string[]} ids
   * @returns {Map<string, Placement> | null} Their placements; null without a connection.
   */
  begin(ids) {
    if (this.#feed.state !== 'ready') return null;
    const records = ids.flatMap((id) => this.#images.get(id) ?? []).filter(mayChange);
    const depth = (/** @type {ImageRecord} */ { id, z }) => this.at(id)?.z ?? z;
    records.sort((a, b) => depth(a) - depth(b) || (a.id < b.id ? -1 : 1));
    const inFront = this.#areInFront(records, depth);
    const front = this.#front();
    records.forEach((record, at) => this.#pickUp(record, inFront ? depth(record) : front + 1 + at));
    return records.length > 0 ? new Map(records.map(({ id }) => [id, { .../** @type {Held} */ (this.#held.get(id)).now }])) : null;
  }

  /**
   * True if no other image lies in front of or between them.
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
      pendingUpdate: before?.pendingUpdate ?? null,
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
    this.#outdated.add(id);
    this.#timer ||= window.setTimeout(() => this.#sendNext(), INTERVAL_MS);
  }

  /**
   * Ends a move and sends the final placements.
   * @param {string[]} ids
   */
  end(ids) {
    /** @type {[string, Held][]} */
    const ending = [];
    for (const id of ids) {
      const held = this.#held.get(id);
      if (held?.phase !== 'moving') continue;
      this.#outdated.delete(id);
      held.phase = 'settling';
      if (held.changed.size === 0) this.#release(id, held);
      else ending.push([id, held]);
    }
    const changes = ending.map(([id, { from, now }]) => ({ id, before: { ...from }, after: { ...now } }));
    const isMoved = (/** @type {{ before: Placement, after: Placement }} */ { before, after }) =>
      before.x !== after.x || before.y !== after.y || before.w !== after.w;
    if (changes.some(isMoved)) this.#onEnd(changes.filter(isMoved));
    void forEachConcurrently(ending, ([id, held]) => this.#settle(id, held));
  }

  /** Resolves when the database has confirmed all moves that have ended, or after a while. */
  async settled() {
    const end = performance.now() + GRACE_MS;
    while (this.#held.size > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }

  /**
   * Cancels a move: the images return to where they were.
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
   * Releases the image if the database has confirmed its placement.
   * @param {ImageRecord} record
   */
  confirm(record) {
    const held = this.#held.get(record.id);
    if (held?.phase !== 'settled') return;
    const same = [...held.changed].every((key) => Math.abs(held.now[key] - record[key]) < 0.05);
    if (same) this.#release(record.id, held);
  }

  /** @param {string} id A deleted image. */
  remove(id) {
    clearTimeout(this.#held.get(id)?.timer);
    this.#held.delete(id);
    this.#outdated.delete(id);
  }

  /** Sends the final placements that were lost with the connection. */
  resume() {
    const unsent = [...this.#held].filter(([, held]) => held.unsent);
    void forEachConcurrently(unsent, ([id, held]) => this.#settle(id, held));
  }

  /** Sends the placement of one image; the next follows after the interval. An image has at most one pending update. */
  #sendNext() {
    this.#timer = 0;
    for (const id of this.#outdated) {
      const held = this.#held.get(id);
      if (held?.pendingUpdate) continue;
      this.#outdated.delete(id);
      if (held?.phase !== 'moving') continue;
      const arrived = () => {
        held.pendingUpdate = null;
      };
      held.pendingUpdate = this.#feed.send('Image:update', { id, ...pick(held), moving: true }).then(arrived, arrived);
      break;
    }
    if (this.#outdated.size > 0) this.#timer = window.setTimeout(() => this.#sendNext(), INTERVAL_MS);
  }

  /**
   * @param {string} id
   * @param {Held} held
   */
  async #settle(id, held) {
    await held.pendingUpdate;
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
 * The changed fields.
 * @param {Held} held
 * @returns {Partial<Placement>}
 */
function pick({ now, changed }) {
  return Object.fromEntries([...changed].map((key) => [key, now[key]]));
}
