// @ts-check
// Placeholders on the board for the uploads of other viewers.

import { find } from './upload-list.js';

/** @typedef {import('../board/tile.js').Tile} Tile */
/** @typedef {import('../feed/types.js').Box} Box */

/** The time within which the feed sends a saved image. After it, the image has been deleted meanwhile. */
const FEED_TIMEOUT_MS = 15_000;
/** The number of placeholders above which further uploads are not shown. */
const MAX_PLACEHOLDERS = 200;
/** Height divided by width, for an upload that does not state its height. */
const LIKELY_RATIO = 0.75;

/** @typedef {{ element: HTMLElement, timer: number }} Placeholder */

export class RemoteUploads {
  /** By the id of the image to come. @type {Map<string, Placeholder>} */
  #placeholders = new Map();
  #list;
  #template;
  #handlers;

  /**
   * @param {{ list: HTMLElement, template: HTMLTemplateElement }} elements
   * @param {object} handlers
   * @param {(id: string) => Tile | undefined} handlers.tile The tile of an image, if it is in the document.
   * @param {(id: string) => boolean} handlers.isThere Whether the board has the image or a card for it.
   * @param {() => void} handlers.onChange
   */
  constructor({ list, template }, handlers) {
    this.#list = list;
    this.#template = template;
    this.#handlers = handlers;
  }

  get size() {
    return this.#placeholders.size;
  }

  /**
   * Adds the placeholder of an upload.
   * @param {{ upload?: unknown, fileName?: unknown, x?: unknown, y?: unknown, w?: unknown, h?: unknown }} data
   */
  begin({ upload, fileName, x, y, w, h }) {
    const [left, top, width] = [x, y, w].map(Number);
    if (typeof upload !== 'string' || ![left, top].every(Number.isFinite) || !(width > 0)) return;
    if (this.#placeholders.has(upload) || this.#placeholders.size >= MAX_PLACEHOLDERS || this.#handlers.isThere(upload)) return;
    const fragment = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    put(element, { x: left, y: top, w: width, h: Number(h) > 0 ? Number(h) : width * LIKELY_RATIO });
    find(element, '[data-name]').textContent = String(fileName ?? '');
    this.#placeholders.set(upload, { element, timer: 0 });
    this.#list.append(element);
    this.#handlers.onChange();
  }

  /**
   * Ends an upload. The placeholder of a stored image stays until the image arrives.
   * @param {{ upload?: unknown, id?: unknown }} data With the `id` if the image is stored.
   */
  end({ upload, id }) {
    const placeholder = this.#placeholders.get(String(upload));
    if (!placeholder) return;
    if (id) placeholder.timer = window.setTimeout(() => this.#remove(String(upload)), FEED_TIMEOUT_MS);
    else this.#remove(String(upload));
  }

  /**
   * Removes the placeholder once the tile of the image, which the feed has sent, is visible.
   * @param {string} id
   */
  arrived(id) {
    const placeholder = this.#placeholders.get(id);
    if (!placeholder) return;
    clearTimeout(placeholder.timer);
    requestAnimationFrame(() => requestAnimationFrame(async () => {
      const tile = this.#handlers.tile(id);
      if (tile) put(placeholder.element, tile.box);
      await tile?.shown();
      if (this.#placeholders.get(id) === placeholder) this.#remove(id);
    }));
  }

  /** Removes all placeholders. A new session is sent the uploads in progress. */
  clear() {
    for (const id of [...this.#placeholders.keys()]) this.#remove(id);
  }

  /** @param {string} id */
  #remove(id) {
    const placeholder = this.#placeholders.get(id);
    if (!placeholder) return;
    this.#placeholders.delete(id);
    clearTimeout(placeholder.timer);
    placeholder.element.remove();
    this.#handlers.onChange();
  }
}

/**
 * @param {HTMLElement} element
 * @param {Box} box
 */
function put(element, { x, y, w, h }) {
  element.style.transform = `translate(${x}px, ${y}px)`;
  element.style.width = `${w}px`;
  element.style.height = `${h}px`;
}
