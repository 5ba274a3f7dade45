// @ts-check
// The IndexedDB database of the uploads that are kept. Browsers may block it or run out of space, which fails nothing: then
// nothing is kept.

import { MAIN, boardId } from '../ui/site.js';
import { Upload } from './item.js';

const DATABASE = 'realtime-photo';
const STORE = 'uploads';
/** Older ones are removed: nobody expects them on the board any more. */
const MAX_AGE_MS = 7 * 24 * 3_600_000;

/**
 * `owner` is the page that sends it, `board` the board that it is for; without one, the main board.
 * @typedef {{ id: string, board?: string, file: File, name: string, point: { x: number, y: number } | null, author: string, addedAt: number, owner: string }} Kept
 */

export class KeptStore {
  /** @type {Promise<IDBDatabase> | null} */
  #database = null;

  /**
   * @param {Upload} upload
   * @param {string} owner
   * @returns {Promise<boolean>} False if the browser cannot keep it.
   */
  async put({ id, file, point, author }, owner) {
    /** @type {Kept} */
    const kept = { id, board: boardId, file, name: file.name, point, author, addedAt: Date.now(), owner };
    return (await this.#run((store) => store.put(kept))) !== null;
  }

  /** @param {string} id */
  async delete(id) {
    await this.#run((store) => store.delete(id));
  }

  async isEmpty() {
    return !(await this.#run((store) => store.count()));
  }

  /**
   * Makes `owner` the owner of those for this board whose owner is gone, and returns them in the order in which they were added.
   * @param {string} owner
   * @param {(other: string) => boolean} isGone
   * @returns {Promise<Upload[]>}
   */
  async claim(owner, isGone) {
    /** @type {Kept[]} */
    const claimed = [];
    await this.#run((store) => {
      const request = store.getAll();
      request.onsuccess = () => {
        for (const kept of /** @type {Kept[]} */ (request.result)) {
          if ((kept.board ?? MAIN) !== boardId || !isGone(kept.owner)) continue;
          if (Date.now() - kept.addedAt > MAX_AGE_MS) {
            store.delete(kept.id);
          } else {
            store.put({ ...kept, owner });
            claimed.push(kept);
          }
        }
      };
      return request;
    });
    return claimed.map(uploadOf);
  }

  /**
   * Transactions run in the order of the calls.
   * @template T
   * @param {(store: IDBObjectStore) => IDBRequest<T>} act
   * @returns {Promise<T | null>} The result once it is on disk; null if that failed.
   */
  async #run(act) {
    try {
      const database = await (this.#database ??= this.#open());
      const transaction = database.transaction(STORE, 'readwrite');
      const request = act(transaction.objectStore(STORE));
      return await new Promise((resolve) => {
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => resolve(null);
      });
    } catch {
      // Blocked, or closed by the browser, which the next call opens again.
      this.#database = null;
      return null;
    }
  }

  /** @returns {Promise<IDBDatabase>} */
  #open() {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }
}

/** @param {Kept} kept */
function uploadOf({ id, file, name, point, author }) {
  // Some browsers return a blob without the name.
  const named = file.name === name ? file : new File([file], name, { type: file.type });
  return new Upload(named, { id, point: point ?? undefined, author });
}
