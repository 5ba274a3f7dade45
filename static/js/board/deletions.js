// @ts-check
// Deleting and restoring images. Every viewer can undo a deletion, so only that of many images asks for confirmation.

import { announce } from '../ui/announce.js';
import { forEachConcurrently } from '../feed/queue.js';
import { notice } from '../ui/notice.js';
import { nameOf } from '../ui/text.js';
import { UndoToast, wordsFor } from './undo-toast.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/** Deletions by others within this time are undone together. */
const GROUP_MS = 2_000;
/** Deletions within this time are announced together. */
const ANNOUNCE_MS = 400;
/** The number of images that a command may delete. */
const MAX_IDS = 2_000;
/** The number of deletions that can be undone one after the other. */
const MAX_UNDO = 100;

/** Images that were deleted together. `at`: the time of the last, in ms. @typedef {{ ids: Set<string>, mine: boolean, at: number }} Deletion */

export class Deletions {
  /** Deletions that this page has requested, by id of the image. @type {Map<string, Deletion>} */
  #asked = new Map();
  /** Images that this page has asked to restore. @type {Set<string>} */
  #restoring = new Set();
  /** Newest last. @type {Deletion[]} */
  #deletions = [];
  /** Deletions to announce. @type {import('./undo-toast.js').Gone[]} */
  #unannounced = [];
  #toast;
  #parts;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.toast
   * @param {() => void} parts.onShowAll
   * @param {import('../feed/feed.js').Feed} parts.feed
   * @param {import('../feed/images.js').Images} parts.images
   * @param {import('./board.js').Board} parts.board
   * @param {(id: string) => void} parts.onLeave The focused toast disappears; `id` is the image being restored, or empty.
   * @param {() => void} parts.onOffline A command was given without a connection.
   * @param {() => boolean} parts.hasOwnChanges Whether Ctrl+Z undoes a change by this page, not a deletion by others.
   * @param {(id: string) => void} parts.onBack An image is not deleted: it has been restored, or could not be deleted.
   * @param {(ids: string[]) => void} parts.onUndo Restores images for the button Undo.
   */
  constructor(parts) {
    this.#parts = parts;
    this.#toast = new UndoToast(parts.toast, {
      onUndo: parts.onUndo,
      onShowAll: parts.onShowAll,
      onLeave: (ids) => this.#parts.onLeave(ids[0] ?? ''),
    });
  }

  /**
   * @param {string[]} ids
   * @returns {Promise<string[]>} Those that are not deleted.
   */
  async remove(ids) {
    const { feed, images, board, onOffline } = this.#parts;
    if (feed.state !== 'ready') {
      onOffline();
      return ids;
    }
    /** @type {Deletion} */
    const deletion = { ids: new Set(), mine: true, at: Date.now() };
    const there = ids.filter((id) => images.get(id));
    for (const id of there) {
      this.#asked.set(id, deletion);
      board.tile(id)?.element.classList.add('is-leaving');
    }
    const refused = [];
    for (let at = 0; at < there.length; at += MAX_IDS) refused.push(...(await this.#send(there.slice(at, at + MAX_IDS))));
    return refused;
  }

  /**
   * Deletes images with one command, so that they go together everywhere.
   * @param {string[]} ids
   * @returns {Promise<string[]>} Those that are not deleted.
   */
  async #send(ids) {
    const { feed, images, board, onBack } = this.#parts;
    try {
      await feed.send('Image:delete', { ids });
      return [];
    } catch (error) {
      for (const id of ids) {
        if (feed.state === 'ready') this.#asked.delete(id);
        if (feed.state === 'ready') onBack(id);
        board.tile(id)?.element.classList.remove('is-leaving');
      }
      const left = ids.flatMap((id) => images.get(id) ?? []);
      const what = left.length === 1 ? nameOf(left[0], 'A photo') : `${left.length} photos`;
      if (left.length > 0) notice(`${what} could not be deleted: ${/** @type {Error} */ (error).message}.`);
      // Without a connection it is not known which are deleted, until the feed has sent what is left.
      return feed.state === 'ready' ? left.map(({ id }) => id) : [];
    }
  }

  /** Forgets the deletions that were lost with a connection: the feed has sent their images again. */
  reconnected() {
    for (const id of [...this.#asked.keys()]) {
      if (!this.#parts.images.get(id)) continue;
      this.#asked.delete(id);
      this.#parts.onBack(id);
    }
  }

  /** True if this page has requested the deletion. @param {string} id */
  isRequested(id) {
    return this.#asked.has(id);
  }

  /**
   * Records a deletion, by this page or another viewer.
   * @param {ImageRecord} record
   * @param {boolean} shown Whether the toast offers Undo.
   * @param {string} [by] The name of the person who deleted it.
   */
  deleted(record, shown, by) {
    const mine = this.#asked.get(record.id);
    this.#asked.delete(record.id);
    const deletion = mine ?? this.#byOthers();
    if (this.#deletions.at(-1) !== deletion && !this.#deletions.includes(deletion)) this.#deletions.push(deletion);
    if (this.#deletions.length > MAX_UNDO) this.#deletions.shift();
    deletion.ids.add(record.id);
    deletion.at = Date.now();
    if (shown) this.#toast.add(record, mine !== undefined, by);
    this.#unannounced.push({ name: nameOf(record), mine: mine !== undefined, by });
    if (this.#unannounced.length === 1) setTimeout(() => this.#announce(), ANNOUNCE_MS);
  }

  /**
   * Records that an image has been added.
   * @param {string} id
   * @returns {boolean} Whether it was deleted before, that is, has been restored.
   */
  added(id) {
    this.#toast.remove(id);
    this.#parts.onBack(id);
    const deletion = this.#deletions.find(({ ids }) => ids.has(id));
    deletion?.ids.delete(id);
    this.#deletions = this.#deletions.filter(({ ids }) => ids.size > 0);
    return deletion !== undefined;
  }

  /** Undoes the last deletion by others if the toast still shows it. */
  undo() {
    if (this.#toast.ids.length > 0) this.#parts.onUndo(this.#toast.ids);
  }

  /** True if this page asked to restore the image. True once per restoration. @param {string} id */
  takeRestored(id) {
    return this.#restoring.delete(id);
  }

  /**
   * @param {string[]} ids
   * @returns {Promise<{ restored: string[], unsent: string[] }>} Those that were restored, and those for which there was no
   *   connection. Others were refused.
   */
  async restore(ids) {
    const { feed, images, onOffline } = this.#parts;
    if (feed.state !== 'ready') {
      onOffline();
      return { restored: [], unsent: ids };
    }
    /** @type {string[]} */
    const restored = [];
    /** @type {string[]} */
    const unsent = [];
    let refused = 0;
    let reason = '';
    await forEachConcurrently(ids, async (id) => {
      this.#restoring.add(id);
      try {
        await feed.send('Image:restore', { id });
        restored.push(id);
      } catch (error) {
        // The feed may have sent it before the connection went with the answer.
        if (images.get(id)) return void restored.push(id);
        this.#restoring.delete(id);
        refused += 1;
        reason = /** @type {Error} */ (error).message;
        if (feed.state === 'ready') this.added(id);
        else unsent.push(id);
      }
    });
    if (refused > 0) notice(`${refused === 1 ? 'A photo' : `${refused} photos`} could not be restored: ${reason}.`);
    return { restored, unsent };
  }

  #byOthers() {
    const last = this.#deletions.at(-1);
    if (last && !last.mine && Date.now() - last.at < GROUP_MS) return last;
    return { ids: new Set(), mine: false, at: 0 };
  }

  #announce() {
    // Until the feed has sent all that this page has deleted, however slowly.
    if (this.#asked.size > 0 && this.#parts.feed.state === 'ready') {
      setTimeout(() => this.#announce(), ANNOUNCE_MS);
      return;
    }
    const isUndone = this.#unannounced.some(({ mine }) => mine) || (this.#toast.ids.length > 0 && !this.#parts.hasOwnChanges());
    const undo = isUndone ? ' Control Z brings it back.' : '';
    announce(`${wordsFor(this.#unannounced)}.${undo}`);
    this.#unannounced = [];
  }
}
