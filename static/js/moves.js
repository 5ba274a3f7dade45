// @ts-check
// Moving and resizing: what this page has changed and the database has not confirmed. Until then the image is shown where
// this page put it; after that, where the database says, so that everybody ends with the same.

/** @typedef {import('./types.js').ImageRecord} ImageRecord */
/** @typedef {import('./feed.js').Feed} Feed */
/** @typedef {import('./images.js').Images} Images */
/** @typedef {{ x: number, y: number, w: number, z: number }} Placement */

/**
 * `settling`: the last word is said; waiting for the database to say the same.
 * @typedef {object} Held
 * @property {Placement} from
 * @property {Placement} now
 * @property {Set<keyof Placement>} changed Only these are sent, so that one may resize what another one moves.
 * @property {'moving' | 'settling'} phase
 * @property {Promise<void> | null} onItsWay
 * @property {number} timer
 * @property {boolean} unsent The connection was lost before the last word was acknowledged.
 */

/** At most 30 updates a second. */
const INTERVAL_MS = 34;
/** The acknowledgement and the change itself come on different ways, in either order. */
const GRACE_MS = 1_500;

export class Moves {
  /** @type {Map<string, Held>} */
  #held = new Map();
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
   * Picks an image up: it comes to the front.
   * @param {string} id
   * @returns {Placement | null} Where it is; null if it cannot be moved now.
   */
  begin(id) {
    const record = this.#images.get(id);
    if (!record || this.#feed.state !== 'ready') return null;
    const before = this.#held.get(id);
    clearTimeout(before?.timer);
    const { x, y, w, z } = before?.now ?? record;
    const front = this.#images.front();
    const now = { x, y, w, z: z < front ? front + 1 : z };
    this.#held.set(id, {
      from: { x, y, w, z },
      now,
      changed: new Set(z < front ? ['z'] : []),
      phase: 'moving',
      onItsWay: before?.onItsWay ?? null,
      timer: 0,
      unsent: false,
    });
    this.#onChange(id);
    return now;
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
    if (!held.timer) this.#tellWhenFree(id, held);
  }

  /**
   * Puts it down.
   * @param {string} id
   */
  end(id) {
    const held = this.#held.get(id);
    if (held?.phase !== 'moving') return;
    held.phase = 'settling';
    clearTimeout(held.timer);
    if (held.changed.size === 0) this.#release(id, held);
    else void this.#settle(id, held);
  }

  /**
   * Puts it back where it was.
   * @param {string} id
   */
  cancel(id) {
    const held = this.#held.get(id);
    if (held?.phase !== 'moving') return;
    held.now = { ...held.from };
    this.#onChange(id);
    this.end(id);
  }

  /**
   * The database has said where an image is.
   * @param {ImageRecord} record
   */
  seen(record) {
    const held = this.#held.get(record.id);
    if (held?.phase !== 'settling' || held.unsent) return;
    const same = [...held.changed].every((key) => Math.abs(held.now[key] - record[key]) < 0.05);
    if (same) this.#release(record.id, held);
  }

  /** @param {string} id An image that is gone. */
  forget(id) {
    clearTimeout(this.#held.get(id)?.timer);
    this.#held.delete(id);
  }

  /** The connection is back: says the last words that were lost with it. */
  resume() {
    for (const [id, held] of this.#held) {
      if (held.unsent) void this.#settle(id, held);
    }
  }

  /**
   * Tells where it is on the way: not more often than needed, and never more than one at a time.
   * @param {string} id
   * @param {Held} held
   */
  #tellWhenFree(id, held) {
    const tell = () => {
      held.timer = 0;
      if (this.#held.get(id) !== held || held.phase !== 'moving') return;
      if (held.onItsWay) {
        held.timer = window.setTimeout(tell, INTERVAL_MS);
        return;
      }
      const command = { id, ...pick(held), moving: true };
      const arrived = () => {
        held.onItsWay = null;
      };
      held.onItsWay = this.#feed.send('Image:update', command).then(arrived, arrived);
    };
    held.timer = window.setTimeout(tell, INTERVAL_MS);
  }

  /**
   * @param {string} id
   * @param {Held} held
   */
  async #settle(id, held) {
    await held.onItsWay;
    if (this.#held.get(id) !== held) return;
    held.unsent = false;
    try {
      await this.#feed.send('Image:update', { id, ...pick(held) });
      held.timer = window.setTimeout(() => this.#release(id, held), GRACE_MS);
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
