// @ts-check
// Placeholders on the board for images that are being added: previews of this page's uploads, and empty ones for those of
// others.

import { find } from '../ui/page.js';
import { shownName } from '../ui/text.js';

/** @typedef {import('../board/tile.js').Tile} Tile */
/** @typedef {import('../feed/types.js').Box} Box */

/** The time within which the feed sends a saved image. After it, the image has been deleted meanwhile. */
const FEED_TIMEOUT_MS = 15_000;
/** The time within which the tile of an image in view is loaded, even on a slow line. */
const SHOWN_TIMEOUT_MS = 5_000;
/** The number of placeholders above which further ones are not shown. */
const MAX_PLACEHOLDERS = 400;
/** The number above which further ones appear at once: hundreds of animations would hold up every frame. */
const MAX_ANIMATED = 30;

/**
 * @typedef {object} Placeholder
 * @property {HTMLElement} element
 * @property {Box} box
 * @property {boolean} isOwn
 * @property {number} timer
 */

export class Placeholders {
  /** By the id of the image to come. @type {Map<string, Placeholder>} */
  #shown = new Map();
  #list;
  #template;
  #handlers;

  /**
   * @param {{ list: HTMLElement, template: HTMLTemplateElement }} elements
   * @param {object} handlers
   * @param {(id: string) => Tile | undefined} handlers.tile The tile of an image, if it is in the document.
   * @param {(id: string) => boolean} handlers.isThere Whether the board has the image.
   * @param {() => void} handlers.onChange
   */
  constructor({ list, template }, handlers) {
    this.#list = list;
    this.#template = template;
    this.#handlers = handlers;
  }

  get size() {
    return this.#shown.size;
  }

  /** The boxes of all. */
  get boxes() {
    return [...this.#shown.values()].map(({ box }) => box);
  }

  /** @param {string} id */
  boxOf(id) {
    return this.#shown.get(id)?.box;
  }

  /**
   * Shows a placeholder for an upload of this page.
   * @param {string} id
   * @param {Box} box
   * @param {string | null} preview A URL, which must stay valid.
   */
  add(id, box, preview) {
    const placeholder = this.#create(id, box, true);
    if (!placeholder || !preview) return;
    placeholder.element.prepend(Object.assign(new Image(), { alt: '', decoding: 'async', src: preview }));
  }

  /**
   * Another viewer starts an upload, or the server has moved one of anybody.
   * @param {{ upload?: unknown, fileName?: unknown, x?: unknown, y?: unknown, w?: unknown, h?: unknown }} data
   */
  begin({ upload, fileName, x, y, w, h }) {
    const [left, top, width, height] = [x, y, w, h].map(Number);
    if (typeof upload !== 'string' || ![left, top].every(Number.isFinite) || !(width > 0)) return;
    const box = { x: left, y: top, w: width, h: height > 0 ? height : width };
    const known = this.#shown.get(upload);
    if (known) {
      put(known, box);
      return;
    }
    if (this.#handlers.isThere(upload)) return;
    const placeholder = this.#create(upload, box, false);
    if (placeholder) find(placeholder.element, '[data-name]').textContent = shownName({ fileName: String(fileName ?? '') });
  }

  /**
   * An upload of another viewer has ended. The placeholder of a stored image stays until the image arrives.
   * @param {{ upload?: unknown, id?: unknown }} data With the `id` if the image is stored.
   */
  end({ upload, id }) {
    if (id) this.saved(String(upload));
    else this.remove(String(upload));
  }

  /** The image is stored; the feed will send it. @param {string} id */
  saved(id) {
    const placeholder = this.#shown.get(id);
    if (!placeholder) return;
    placeholder.element.classList.add('is-saved');
    clearTimeout(placeholder.timer);
    placeholder.timer = window.setTimeout(() => this.remove(id), FEED_TIMEOUT_MS);
  }

  /**
   * @param {string} id
   * @param {number} progress 0 to 1.
   */
  progress(id, progress) {
    const placeholder = this.#shown.get(id);
    if (!placeholder) return;
    // Hundreds of rings of uploads that wait would cost every frame.
    placeholder.element.classList.toggle('is-sending', progress > 0);
    if (progress > 0) find(placeholder.element, '[data-ring]').style.strokeDashoffset = String(100 - progress * 100);
  }

  /**
   * Removes the placeholder once the tile of the image, which the feed has sent, is visible.
   * @param {string} id
   */
  arrived(id) {
    const placeholder = this.#shown.get(id);
    if (!placeholder) return;
    clearTimeout(placeholder.timer);
    // The browser does not load a tile far outside the view.
    placeholder.timer = window.setTimeout(() => this.remove(id), SHOWN_TIMEOUT_MS);
    requestAnimationFrame(() => requestAnimationFrame(async () => {
      const tile = this.#handlers.tile(id);
      if (tile) put(placeholder, tile.box);
      await tile?.shown();
      if (this.#shown.get(id) === placeholder) this.remove(id);
    }));
  }

  /** Removes the placeholders of others. A new session is sent the uploads in progress. */
  clear() {
    for (const [id, { isOwn }] of [...this.#shown]) if (!isOwn) this.remove(id);
  }

  /** @param {string} id */
  remove(id) {
    const placeholder = this.#shown.get(id);
    if (!placeholder) return;
    this.#shown.delete(id);
    clearTimeout(placeholder.timer);
    placeholder.element.remove();
    this.#handlers.onChange();
  }

  /**
   * @param {string} id
   * @param {Box} box
   * @param {boolean} isOwn
   * @returns {Placeholder | null} Null if the upload has one already, or there are too many.
   */
  #create(id, box, isOwn) {
    const known = this.#shown.get(id);
    if (known) put(known, box);
    if (known || this.#shown.size >= MAX_PLACEHOLDERS) return null;
    const fragment = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    element.classList.toggle('is-own', isOwn);
    element.classList.toggle('is-animated', this.#shown.size < MAX_ANIMATED);
    // Only those of others have a name to show, and each element of hundreds costs.
    if (isOwn) find(element, '.name').remove();
    const placeholder = { element, box, isOwn, timer: 0 };
    put(placeholder, box);
    this.#shown.set(id, placeholder);
    this.#list.append(element);
    this.#handlers.onChange();
    return placeholder;
  }
}

/**
 * @param {Placeholder} placeholder
 * @param {Box} box
 */
function put(placeholder, box) {
  const { style } = placeholder.element;
  const { x, y, w, h } = placeholder.box;
  placeholder.box = box;
  // Writing the same again would invalidate the style.
  if (style.width && x === box.x && y === box.y && w === box.w && h === box.h) return;
  style.transform = `translate(${box.x}px, ${box.y}px)`;
  style.width = `${box.w}px`;
  style.height = `${box.h}px`;
}
