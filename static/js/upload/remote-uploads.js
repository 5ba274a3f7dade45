// @ts-check
// Places on the board for what other people are adding, until the images themselves are there.

import { find } from './upload-list.js';

/** @typedef {import('../board/tile.js').Tile} Tile */
/** @typedef {import('../feed/types.js').Box} Box */

/** Stored, and the feed has not named it after so long: somebody has deleted it meanwhile. */
const UNNAMED_MS = 15_000;
/** More than this at once say no more than this many. */
const MOST = 200;
/** The height of what is not known yet, in relation to the width. */
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
   * @param {(id: string) => Tile | undefined} handlers.tile The image itself, if it is in the document.
   * @param {(id: string) => boolean} handlers.isThere Whether the feed has named it.
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
   * Somebody has begun to add a image.
   * @param {{ upload?: unknown, fileName?: unknown, x?: unknown, y?: unknown, w?: unknown, h?: unknown }} data
   */
  begin({ upload, fileName, x, y, w, h }) {
    const [left, top, width] = [x, y, w].map(Number);
    if (typeof upload !== 'string' || ![left, top].every(Number.isFinite) || !(width > 0)) return;
    if (this.#placeholders.has(upload) || this.#placeholders.size >= MOST || this.#handlers.isThere(upload)) return;
    const fragment = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    put(element, { x: left, y: top, w: width, h: Number(h) > 0 ? Number(h) : width * LIKELY_RATIO });
    find(element, '[data-name]').textContent = String(fileName ?? '');
    this.#placeholders.set(upload, { element, timer: 0 });
    this.#list.append(element);
    this.#handlers.onChange();
  }

  /**
   * The upload is over.
   * @param {{ upload?: unknown, id?: unknown }} data With the `id` if the image is stored.
   */
  end({ upload, id }) {
    const placeholder = this.#placeholders.get(String(upload));
    if (!placeholder) return;
    if (id) placeholder.timer = window.setTimeout(() => this.#remove(String(upload)), UNNAMED_MS);
    else this.#remove(String(upload));
  }

  /**
   * The feed has named the image: the placeholder stays until the image itself can be seen in its place.
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

  /** There is no session any more; a new one is told what is still under way. */
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
