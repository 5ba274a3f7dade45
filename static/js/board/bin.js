// @ts-check
// Recently deleted photos: a dialog that lists what can be restored, and restores it.

import { thumbOf } from '../feed/image-urls.js';
import { find } from '../ui/page.js';
import { showModal } from '../ui/modal.js';
import { onBoard } from '../ui/site.js';
import { agoText, isolated, shownName } from '../ui/text.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {ImageRecord & { deletedAt: string, deletedBy?: string }} DeletedRecord */

/** Changes within this time are fetched together. */
const GATHER_MS = 200;

export class Bin {
  /** @type {DeletedRecord[]} */
  #records = [];
  #timer = 0;
  /** The last request, which alone may write. */
  #request = 0;
  /** Its end. @type {Promise<void>} */
  #listed = Promise.resolve();
  #elements;
  #onRestore;

  /**
   * @param {{ dialog: HTMLDialogElement, everywhere: HTMLElement, item: HTMLTemplateElement }} elements
   * @param {(ids: string[]) => Promise<void>} onRestore
   */
  constructor(elements, onRestore) {
    this.#elements = elements;
    this.#onRestore = onRestore;
    const { dialog } = elements;
    this.#part('close').addEventListener('click', () => dialog.close());
    this.#part('restore-all').addEventListener('click', () => void this.#restoreAll());
    this.#part('list').addEventListener('click', ({ target }) => {
      const button = /** @type {Element} */ (target).closest('button');
      const id = /** @type {HTMLElement | null} */ (button?.closest('[data-id]'))?.dataset.id;
      if (id) void this.#restore([id]);
    });
  }

  open() {
    showModal(this.#elements.dialog, this.#elements.everywhere);
    void this.#list();
  }

  /** A photo has been deleted or restored. */
  changed() {
    if (this.#elements.dialog.open) this.#timer ||= window.setTimeout(() => void this.#list(), GATHER_MS);
  }

  /** @param {string[]} ids */
  async #restore(ids) {
    // The button that was pressed disappears with its photo.
    this.#part('close').focus();
    await this.#onRestore(ids);
  }

  /** Restores all that have been deleted until now. The server lists only the last of many. */
  async #restoreAll() {
    const until = this.#records[0]?.deletedAt ?? '';
    /** @type {Set<string>} */
    const tried = new Set();
    for (;;) {
      const ids = this.#records.filter(({ id, deletedAt }) => deletedAt <= until && !tried.has(id)).map(({ id }) => id);
      if (ids.length === 0) return;
      for (const id of ids) tried.add(id);
      await this.#restore(ids);
      await this.#list();
    }
  }

  /** Resolves when the list is up to date. */
  async #list() {
    this.#listed = this.#fetch();
    let listed;
    do {
      listed = this.#listed;
      await listed;
    } while (listed !== this.#listed);
  }

  async #fetch() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const request = (this.#request += 1);
    let text = '';
    try {
      const response = await fetch(onBoard('images/deleted'), { cache: 'no-store' });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const { images } = await response.json();
      if (request !== this.#request) return;
      this.#records = images;
    } catch {
      if (request !== this.#request) return;
      text = 'The deleted photos could not be loaded. Try again later.';
    }
    this.#write(text);
  }

  /** @param {string} problem */
  #write(problem) {
    const now = Date.now();
    this.#part('list').replaceChildren(...this.#records.map((record) => this.#itemOf(record, now)));
    const empty = this.#records.length === 0;
    this.#part('empty').textContent = problem || (empty ? 'Nothing here. Deleted photos stay for a while.' : '');
    this.#part('restore-all').hidden = this.#records.length < 2;
  }

  /**
   * @param {DeletedRecord} record
   * @param {number} now
   */
  #itemOf(record, now) {
    const item = /** @type {HTMLElement} */ (this.#elements.item.content.firstElementChild?.cloneNode(true));
    const name = shownName(record) || 'Photo';
    item.dataset.id = record.id;
    const image = /** @type {HTMLImageElement} */ (find(item, 'img'));
    image.src = `${thumbOf(record)}?deleted=true`;
    find(item, '[data-name]').textContent = name;
    find(item, '[data-name]').title = record.fileName;
    find(item, '[data-by]').textContent = `Deleted${record.deletedBy ? ` by ${isolated(record.deletedBy)}` : ''}, ${agoText(record.deletedAt, now)}`;
    find(item, 'button').setAttribute('aria-label', `Restore ${name}`);
    return item;
  }

  /** @param {string} name */
  #part(name) {
    return find(this.#elements.dialog, `[data-${name}]`);
  }
}
