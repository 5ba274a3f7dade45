// @ts-check
// Undo and redo of what this page has done: moves, arrangements, deletions and texts. What somebody else has changed
// since is left as it is. The history survives a reload of the tab.

import { forEachConcurrently } from '../feed/queue.js';
import { keyFor } from '../ui/site.js';

/** @typedef {import('../feed/feed.js').Feed} Feed */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../feed/types.js').TextName} TextName */
/** @typedef {{ x: number, y: number, w: number, z: number }} Placement */
/** @typedef {Placement & { caption?: string, alt?: string }} Restored */

/**
 * A change that can be undone. A move has the placements of its images, a description
 * that of one image or its caption.
 * @typedef {{ kind: 'move', changes: { id: string, before: Placement, after: Placement }[] }
 *   | { kind: 'delete', ids: string[] }
 *   | { kind: 'restore', ids: string[] }
 *   | { kind: 'describe', name?: TextName, id: string, before: string, after: string }} Change
 */

/**
 * @typedef {object} HistoryHandlers
 * @property {(ids: string[]) => Promise<string[]>} onDelete Resolves with those that are not deleted.
 * @property {(ids: string[]) => Promise<{ restored: string[], unsent: string[] }>} onRestore Resolves with those that were
 *   restored, and those for which there was no connection.
 * @property {() => Promise<void>} settled Resolves when the moves of this page are confirmed.
 * @property {(text: string) => void} onNotice
 * @property {(text: string) => void} onDone Announces what was undone or redone.
 * @property {(ids: string[]) => void} onChange Called when `canUndo` or `canRedo` may have changed, with the images that were
 *   undone or redone.
 */

/** The number of changes that are kept. */
const MAX_CHANGES = 100;
/** The most restored images whose state at that time is remembered. */
const MAX_RESTORED = 5_000;
/** The number of placements that a command may have. */
const MAX_PLACES = 2_000;
/** Placements are rounded on their way. */
const TOLERANCE = 0.06;
const KEY = keyFor('history');
/** The time within which the feed sends what a command has changed, and the interval at which the images are compared. */
const FEED_MS = 3_000;
const INTERVAL_MS = 34;

export class History {
  /** Newest last. @type {Change[]} */
  #done = [];
  /** Undone, the next to redo last. @type {Change[]} */
  #undone = [];
  /** Commands run one after another. @type {Promise<void>} */
  #last = Promise.resolve();
  /** The commands that have not ended. What is being undone can be redone next. */
  #waiting = { undo: 0, redo: 0 };
  /** Images that this page has restored, as they were then. @type {Map<string, Restored>} */
  #restored = new Map();
  /** The time at which this page has last arranged an image, in ms. @type {Map<string, number>} */
  #sentAt = new Map();
  /** The time of the last change by this page, in ms. */
  #changedAt = 0;
  #feed;
  #images;
  #handlers;

  /**
   * @param {Feed} feed
   * @param {Images} images
   * @param {HistoryHandlers} handlers
   */
  constructor(feed, images, handlers) {
    this.#feed = feed;
    this.#images = images;
    this.#handlers = handlers;
    try {
      const { done = [], undone = [], restored = [] } = JSON.parse(sessionStorage.getItem(KEY) ?? '{}');
      [this.#done, this.#undone, this.#restored] = [done, undone, new Map(restored)];
    } catch {
      // The browser blocks storage: the history is that of the page.
    }
  }

  get canUndo() {
    return this.#done.length > 0 || this.#waiting.redo > 0;
  }

  get canRedo() {
    return this.#undone.length > 0 || this.#waiting.undo > 0;
  }

  /** Adds a change that this page has made. @param {Change} change */
  add(change) {
    this.#changedAt = Date.now();
    this.#done.push(change);
    if (this.#done.length > MAX_CHANGES) this.#done.shift();
    this.#undone = [];
    this.#changed();
  }

  /** Restores images by a button that says Undo, whoever has deleted them: the deletion can be redone. @param {string[]} ids */
  undoDeletion(ids) {
    this.#waiting.undo += 1;
    this.#last = this.#last.then(async () => {
      // Not twice, if the button was pressed again before the images were back.
      const { restored } = await this.#handlers.onRestore(ids.filter((id) => !this.#images.get(id)));
      if (restored.length > 0) this.#undone.push({ kind: 'delete', ids: restored });
      this.#waiting.undo -= 1;
      this.#changed(restored);
    });
  }

  /**
   * Removes images from the deletions that can be undone: they are back, or gone for good.
   * @param {string} id
   */
  forget(id) {
    if (!this.#done.some((change) => change.kind === 'delete' && change.ids.includes(id))) return;
    this.#done = this.#done.filter((change) => {
      if (change.kind !== 'delete') return true;
      change.ids = change.ids.filter((each) => each !== id);
      return change.ids.length > 0;
    });
    this.#changed([id]);
  }

  /** An image is back that this page has restored. @param {ImageRecord} record */
  restored({ id, x, y, w, z, caption, alt }) {
    this.#restored.set(id, { x, y, w, z, caption, alt });
    if (this.#restored.size > MAX_RESTORED) this.#restored.delete(this.#restored.keys().next().value ?? '');
  }

  /** Sends placements as one change, which can be undone. @param {import('./tidy.js').Place[]} places */
  async arrange(places) {
    const changes = places.flatMap((place) => {
      const record = this.#images.get(place.id);
      return record ? [{ id: place.id, before: placementOf(record), after: { ...placementOf(record), ...withoutId(place) } }] : [];
    });
    if (changes.length === 0) return;
    // Before it is sent: what was arranged can be undone even if the rest fails.
    this.add({ kind: 'move', changes });
    const sent = this.#last.then(() => this.#send(places));
    this.#last = sent.catch(() => {});
    await sent;
  }

  /** True if the feed may still be about to send what this page has arranged. @param {string} id */
  hasSent(id) {
    return Date.now() < (this.#sentAt.get(id) ?? 0) + FEED_MS;
  }

  undo() {
    this.#waiting.undo += 1;
    this.#last = this.#last.then(() => this.#step(true));
  }

  redo() {
    this.#waiting.redo += 1;
    this.#last = this.#last.then(() => this.#step(false));
  }

  /** @param {boolean} isUndo */
  async #step(isUndo) {
    const change = (isUndo ? this.#done : this.#undone).pop();
    if (!change) {
      this.#waiting[isUndo ? 'undo' : 'redo'] -= 1;
      return this.#changed();
    }
    // The lists may be replaced while the change is applied.
    try {
      const rest = (await this.#apply(change, isUndo)) ?? [];
      if (rest.length > 0 && 'ids' in change) (isUndo ? this.#done : this.#undone).push({ ...change, ids: rest });
      if (idsOf(change).length > 0) (isUndo ? this.#undone : this.#done).push(change);
    } catch (error) {
      (isUndo ? this.#done : this.#undone).push(change);
      this.#handlers.onNotice(`This could not be ${isUndo ? 'undone' : 'redone'}: ${/** @type {Error} */ (error).message}.`);
    }
    this.#waiting[isUndo ? 'undo' : 'redo'] -= 1;
    this.#changed(idsOf(change));
  }

  /**
   * @param {Change} change Loses the images that could not be changed.
   * @param {boolean} isUndo
   * @returns {Promise<string[] | void>} The images for which it can be tried again.
   */
  async #apply(change, isUndo) {
    const { onDone } = this.#handlers;
    if (change.kind === 'delete' || change.kind === 'restore') {
      return (change.kind === 'delete') === isUndo ? this.#restore(change) : this.#deleteAgain(change);
    }
    if (change.kind === 'describe') {
      const { id, name = 'alt' } = change;
      const [now, next] = isUndo ? [change.after, change.before] : [change.before, change.after];
      const isNow = () => (this.#images.get(id)?.[name] ?? '') === now;
      await this.#fed(isNow);
      if (!this.#images.get(id) || !isNow()) return this.#skipped(1, 1);
      this.#changedAt = Date.now();
      await this.#feed.send('Image:update', { id, [name]: next });
      const what = name === 'alt' ? 'Description' : 'Caption';
      return onDone(isUndo ? `${what} restored.` : `${what} changed again.`);
    }
    await this.#handlers.settled();
    const steps = change.changes.map(({ id, before, after }) => (isUndo ? { id, now: after, next: before } : { id, now: before, next: after }));
    const unchanged = () => steps.filter(({ id, now }) => isAt(this.#images.get(id), now));
    await this.#fed(() => unchanged().length === steps.length);
    const own = unchanged();
    await this.#send(own.map(({ id, next }) => ({ id, ...next })));
    this.#skipped(steps.length - own.length, steps.length);
    if (own.length > 0) onDone(`${own.length === 1 ? '1 photo' : `${own.length} photos`} moved${isUndo ? ' back' : ''}.`);
  }

  /** @param {{ ids: string[] }} change */
  async #restore(change) {
    const { restored, unsent } = await this.#handlers.onRestore(change.ids);
    change.ids = restored;
    return unsent;
  }

  /** Deletes what was restored, but not what has been changed since. @param {{ ids: string[] }} change */
  async #deleteAgain(change) {
    await this.#handlers.settled();
    const count = change.ids.length;
    change.ids = change.ids.filter((id) => this.#isAsRestored(id));
    this.#skipped(count - change.ids.length, count);
    if (change.ids.length === 0) return;
    const rest = await this.#handlers.onDelete(change.ids);
    change.ids = change.ids.filter((id) => !rest.includes(id));
    return rest;
  }

  /** @param {string} id */
  #isAsRestored(id) {
    const record = this.#images.get(id);
    const restored = this.#restored.get(id);
    if (!record || !restored) return record !== undefined;
    return isAt(record, restored) && record.caption === restored.caption && record.alt === restored.alt;
  }

  /**
   * Waits until the feed has sent the last change by this page, which is acknowledged before that.
   * @param {() => boolean} isThere
   */
  async #fed(isThere) {
    while (!isThere() && Date.now() < this.#changedAt + FEED_MS) await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }

  /**
   * Says that others have changed some of the images since.
   * @param {number} count
   * @param {number} all
   */
  #skipped(count, all) {
    if (count === 0) return;
    const what = all === 1 ? 'This photo has' : count === all ? 'These photos have' : `${count} of ${all} photos have`;
    this.#handlers.onNotice(`${what} been changed by someone else or deleted since.`);
  }

  /** @param {import('./tidy.js').Place[]} places */
  async #send(places) {
    this.#changedAt = Date.now();
    for (const id of this.#sentAt.keys()) if (!this.hasSent(id)) this.#sentAt.delete(id);
    for (const { id } of places) this.#sentAt.set(id, this.#changedAt);
    const parts = [];
    for (let at = 0; at < places.length; at += MAX_PLACES) parts.push(places.slice(at, at + MAX_PLACES));
    await forEachConcurrently(parts, async (part) => void (await this.#feed.send('Image:arrange', { places: part })));
  }

  /** @param {string[]} [ids] */
  #changed(ids = []) {
    this.#keep(this.#done);
    this.#handlers.onChange(ids);
  }

  /**
   * Keeps the history for a reload: as many of the last changes as the browser has room for.
   * @param {Change[]} done
   */
  #keep(done) {
    const ids = new Set([...done, ...this.#undone].flatMap((change) => ('ids' in change ? change.ids : [])));
    const restored = [...this.#restored].filter(([id]) => ids.has(id));
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ done, undone: this.#undone, restored }));
    } catch {
      // Full or blocked. An older history would undo what is not the last change.
      if (done.length > 0) this.#keep(done.slice(Math.ceil(done.length / 2)));
      else this.#forgetKept();
    }
  }

  #forgetKept() {
    try {
      sessionStorage.removeItem(KEY);
    } catch {
      // Blocked.
    }
  }
}

/**
 * @param {Change} change
 * @returns {string[]}
 */
function idsOf(change) {
  if (change.kind === 'describe') return [change.id];
  return change.kind === 'move' ? change.changes.map(({ id }) => id) : change.ids;
}

/**
 * @param {ImageRecord} record
 * @returns {Placement}
 */
function placementOf({ x, y, w, z }) {
  return { x, y, w, z };
}

/** @param {import('./tidy.js').Place} place */
function withoutId({ id: _, ...placement }) {
  return placement;
}

/**
 * @param {ImageRecord | undefined} record
 * @param {Placement} placement
 */
function isAt(record, placement) {
  const keys = /** @type {const} */ (['x', 'y', 'w', 'z']);
  return record !== undefined && keys.every((key) => Math.abs(record[key] - placement[key]) < TOLERANCE);
}
