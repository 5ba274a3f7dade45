// @ts-check
// What stands on the board for a image that is not there yet: a preview with a progress ring, or the reason why it was
// refused, in the place it was dropped at.

import { find, writeUpload } from './upload-list.js';

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('./item.js').Upload} Upload */
/** @typedef {import('../board/tile.js').Tile} Tile */

/** Saved, and the feed has not named it after so long: somebody has deleted it meanwhile. */
const UNNAMED_MS = 15_000;

/**
 * @typedef {object} Card
 * @property {Upload} upload
 * @property {Box} box
 * @property {HTMLElement} element
 * @property {string | null} url The preview's object URL.
 */

export class Pending {
  /** By the id of the upload, which is the id of the image to come. @type {Map<string, Card>} */
  #cards = new Map();
  #list;
  #template;
  #handlers;

  /**
   * @param {{ list: HTMLElement, template: HTMLTemplateElement }} elements
   * @param {object} handlers
   * @param {(id: string) => Tile | undefined} handlers.tile The image itself, if it is in the document.
   * @param {(upload: Upload) => void} handlers.onRetry
   * @param {(upload: Upload) => void} handlers.onShrink
   * @param {(upload: Upload) => void} handlers.onCancel
   * @param {(upload: Upload) => void} handlers.onShow Where the same image is.
   * @param {(upload: Upload) => void} handlers.onAnyway Adds what is there already.
   * @param {(cards: Iterable<Card>) => void} handlers.onChange
   */
  constructor({ list, template }, handlers) {
    this.#list = list;
    this.#template = template;
    this.#handlers = handlers;
  }

  get size() {
    return this.#cards.size;
  }

  /**
   * @param {Upload} upload
   * @param {Box} box
   * @param {string | null} url An object URL to show; it is revoked when the card goes.
   */
  add(upload, box, url) {
    const fragment = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    const card = { upload, box, element, url };
    element.style.transform = `translate(${box.x}px, ${box.y}px)`;
    element.style.width = `${box.w}px`;
    element.style.height = `${box.h}px`;
    const preview = /** @type {HTMLImageElement} */ (find(element, 'img'));
    if (url) preview.src = url;
    else preview.remove();
    find(element, '[data-retry]').addEventListener('click', () => this.#handlers.onRetry(upload));
    find(element, '[data-shrink]').addEventListener('click', () => this.#handlers.onShrink(upload));
    find(element, '[data-cancel]').addEventListener('click', () => this.cancel(upload));
    find(element, '[data-show]').addEventListener('click', () => this.#handlers.onShow(upload));
    find(element, '[data-anyway]').addEventListener('click', () => this.#handlers.onAnyway(upload));
    this.#cards.set(upload.id, card);
    this.#list.append(element);
    this.write(upload);
  }

  /** @param {Upload} upload It has changed. */
  write(upload) {
    const card = this.#cards.get(upload.id);
    if (!card) return;
    writeUpload(card.element, upload);
    find(card.element, '[data-ring]').style.strokeDashoffset = String(100 - upload.progress * 100);
    this.#writeChoice(card);
    if (upload.state === 'saved') {
      this.#foundTwins(upload.id);
      setTimeout(() => this.#remove(card), UNNAMED_MS);
    }
    this.#handlers.onChange(this.#cards.values());
  }

  /**
   * The feed has named the image: the card stays until the image itself can be seen in its place.
   * @param {string} id
   */
  arrived(id) {
    const card = this.#cards.get(id);
    if (!card) return;
    requestAnimationFrame(() => requestAnimationFrame(async () => {
      await this.#handlers.tile(id)?.shown();
      this.#remove(card);
    }));
  }

  /**
   * The image is gone, or is not among what the server has just named.
   * @param {string} id
   */
  gone(id) {
    const card = this.#cards.get(id);
    if (card?.upload.state === 'saved') this.#remove(card);
  }

  /**
   * Everything has been named.
   * @param {(id: string) => boolean} isThere
   */
  ready(isThere) {
    for (const id of [...this.#cards.keys()]) if (!isThere(id)) this.gone(id);
  }

  /** Goes to the first one that failed. @returns {DOMRect | null} Where on the page it stands. */
  focusFailed() {
    for (const { upload, element } of this.#cards.values()) {
      if (upload.state !== 'failed') continue;
      find(element, upload.retryable ? '[data-retry]' : upload.canShrink ? '[data-shrink]' : '[data-cancel]').focus({ preventScroll: true });
      return find(element, '[data-body]').getBoundingClientRect();
    }
    return null;
  }

  /** The place that an upload has on the board. @param {string} id */
  boxOf(id) {
    return this.#cards.get(id)?.box;
  }

  /** Those that the board has already. @returns {Upload[]} */
  get duplicates() {
    return [...this.#cards.values()].map(({ upload }) => upload).filter(({ state }) => state === 'duplicate');
  }

  /** Uploads that failed because of their size. @returns {Upload[]} */
  get shrinkable() {
    return [...this.#cards.values()].map(({ upload }) => upload).filter(({ state, canShrink }) => state === 'failed' && canShrink);
  }

  /** @param {Upload} upload It is given up. */
  cancel(upload) {
    const card = this.#cards.get(upload.id);
    if (!card) return;
    this.#handlers.onCancel(upload);
    this.#remove(card);
  }

  /** @param {Card} card */
  #writeChoice({ element, upload }) {
    const [show, anyway] = [find(element, '[data-show]'), find(element, '[data-anyway]')];
    show.hidden = anyway.hidden = upload.state !== 'duplicate';
    show.setAttribute('aria-label', `Show it: ${upload.twin?.fileName}`);
    anyway.setAttribute('aria-label', `Add anyway: ${upload.fileName}`);
  }

  /**
   * What others are the same as is on the board now.
   * @param {string} id
   */
  #foundTwins(id) {
    for (const { upload } of this.#cards.values()) {
      if (upload.twin?.id !== id || upload.twin.there) continue;
      upload.twin.there = true;
      this.write(upload);
    }
  }

  /** @param {Card} card */
  #remove(card) {
    if (this.#cards.get(card.upload.id) !== card) return;
    this.#cards.delete(card.upload.id);
    card.element.remove();
    if (card.url) URL.revokeObjectURL(card.url);
    this.#handlers.onChange(this.#cards.values());
  }
}
