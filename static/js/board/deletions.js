// @ts-check
// Deleting asks nothing, because everybody who sees a image go can bring it back.

import { announce } from '../ui/announce.js';
import { forEachConcurrently } from '../feed/queue.js';
import { notice } from '../ui/notice.js';
import { UndoToast, wordsFor } from './undo-toast.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/** Deletions by others that come within this time are one. */
const TOGETHER_MS = 2_000;
const SAY_MS = 400;
/** How many deletions can be taken back one after the other. */
const REMEMBERED = 100;

/** What was deleted at one go. @typedef {{ ids: Set<string>, mine: boolean, at: number }} Deletion */

export class Deletions {
  /** What this page has asked to delete. @type {Map<string, Deletion>} */
  #asked = new Map();
  /** What this page has asked to bring back. @type {Set<string>} */
  #restoring = new Set();
  /** The latest last. @type {Deletion[]} */
  #deletions = [];
  /** To be said. @type {{ name: string, mine: boolean }[]} */
  #unsaid = [];
  #toast;
  #parts;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.toast
   * @param {import('../feed/feed.js').Feed} parts.feed
   * @param {import('../feed/images.js').Images} parts.images
   * @param {import('./board.js').Board} parts.board
   * @param {(id: string) => void} parts.onLeave The focus needs another place; `id` is what was brought back, if anything.
   * @param {() => void} parts.onStuck Nothing can be changed now.
   */
  constructor(parts) {
    this.#parts = parts;
    this.#toast = new UndoToast(parts.toast, {
      onUndo: (ids) => void this.restore(ids),
      onLeave: (ids) => this.#parts.onLeave(ids[0] ?? ''),
    });
  }

  /** @param {string[]} ids */
  async remove(ids) {
    const { feed, images, board, onStuck } = this.#parts;
    if (feed.state !== 'ready') return onStuck();
    /** @type {Deletion} */
    const deletion = { ids: new Set(), mine: true, at: Date.now() };
    const there = ids.filter((id) => images.get(id));
    for (const id of there) {
      this.#asked.set(id, deletion);
      board.tile(id)?.element.classList.add('is-leaving');
    }
    await forEachConcurrently(there, async (id) => {
      try {
        await feed.send('Image:delete', { id });
      } catch (error) {
        if (feed.state === 'ready') this.#asked.delete(id);
        board.tile(id)?.element.classList.remove('is-leaving');
        const record = images.get(id);
        if (record) notice(`${record.fileName} could not be deleted: ${/** @type {Error} */ (error).message}.`);
      }
    });
  }

  /** Whether this page has asked to delete it. @param {string} id */
  asksFor(id) {
    return this.#asked.has(id);
  }

  /**
   * An image has gone, whoever deleted it.
   * @param {ImageRecord} record
   * @param {boolean} shown Whether to offer Undo for it here; otherwise only Ctrl+Z brings it back.
   */
  gone(record, shown) {
    const mine = this.#asked.get(record.id);
    this.#asked.delete(record.id);
    const deletion = mine ?? this.#byOthers();
    if (this.#deletions.at(-1) !== deletion && !this.#deletions.includes(deletion)) this.#deletions.push(deletion);
    if (this.#deletions.length > REMEMBERED) this.#deletions.shift();
    deletion.ids.add(record.id);
    deletion.at = Date.now();
    if (shown) this.#toast.add(record, mine !== undefined);
    this.#unsaid.push({ name: record.fileName, mine: mine !== undefined });
    if (this.#unsaid.length === 1) setTimeout(() => this.#say(), SAY_MS);
  }

  /**
   * An image has come.
   * @param {string} id
   * @returns {boolean} Whether it was deleted before, and is back.
   */
  back(id) {
    this.#toast.forget(id);
    const deletion = this.#deletions.find(({ ids }) => ids.has(id));
    deletion?.ids.delete(id);
    this.#deletions = this.#deletions.filter(({ ids }) => ids.size > 0);
    return deletion !== undefined;
  }

  /** Takes back the last deletion of one's own; or what somebody else has just deleted. */
  undo() {
    const mine = this.#deletions.findLast((deletion) => deletion.mine);
    const ids = mine ? [...mine.ids] : this.#toast.ids;
    if (ids.length > 0) void this.restore(ids);
  }

  /** Whether this page has asked to bring it back; it is told once. @param {string} id */
  asked(id) {
    return this.#restoring.delete(id);
  }

  /** @param {string[]} ids */
  async restore(ids) {
    const { feed, onStuck } = this.#parts;
    if (feed.state !== 'ready') return onStuck();
    let refused = 0;
    let reason = '';
    await forEachConcurrently(ids, async (id) => {
      this.#restoring.add(id);
      try {
        await feed.send('Image:restore', { id });
      } catch (error) {
        this.#restoring.delete(id);
        refused += 1;
        reason = /** @type {Error} */ (error).message;
        if (feed.state === 'ready') this.back(id);
      }
    });
    if (refused > 0) notice(`${refused === 1 ? 'A photo' : `${refused} photos`} could not be restored: ${reason}.`);
  }

  #byOthers() {
    const last = this.#deletions.at(-1);
    if (last && !last.mine && Date.now() - last.at < TOGETHER_MS) return last;
    return { ids: new Set(), mine: false, at: 0 };
  }

  #say() {
    const [{ name }] = this.#unsaid;
    const undo = this.#unsaid.some(({ mine }) => mine) || this.#toast.ids.length > 0 ? ' Control Z brings it back.' : '';
    if (this.#unsaid.every(({ mine }) => mine) && this.#unsaid.length === 1) announce(`${name} was deleted.${undo}`);
    else announce(`${wordsFor(this.#unsaid)}.${undo}`);
    this.#unsaid = [];
  }
}
