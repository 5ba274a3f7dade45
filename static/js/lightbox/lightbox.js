// @ts-check
// The lightbox: one image in a dialog that fills the window, with facts and actions.

import { Address, addressOf, imageInAddress } from './address.js';
import { announce } from '../ui/announce.js';
import { copyText } from '../ui/copy.js';
import { addedText, sizeText, typeName } from '../ui/text.js';
import { showModal } from '../ui/modal.js';
import { notice } from '../ui/notice.js';
import { urlOf } from '../feed/image-urls.js';
import { Zoom } from './zoom.js';
import { Description } from './description.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../feed/images.js').Images} Images */

/**
 * The order of the images: `at` is the index of an image, or the index at which a deleted one was.
 * @typedef {{ size: number, idAt: (at: number) => string | undefined, at: (record: ImageRecord) => number }} Order
 */

/** @type {Record<string, 'in' | 'out' | 'full' | 'fit'>} */
const ZOOM_KEYS = { '+': 'in', '=': 'in', '-': 'out', 0: 'full', 1: 'fit' };
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @typedef {object} LightboxHandlers
 * @property {(id: string) => void} onDelete
 * @property {(id: string) => void} onUndo
 * @property {(id: string, alt: string) => Promise<void>} onAlt Rejects if the description could not be saved.
 * @property {(id: string) => string} previewOf The URL that the page displays; empty if none.
 * @property {() => Order} order
 * @property {(id: string) => void} onClose Called with the last image.
 */

export class Lightbox {
  /** @type {ImageRecord | null} */
  #record = null;
  /** The image that this page is deleting. */
  #deleting = '';
  #dialog;
  #everywhere;
  #images;
  #handlers;
  #zoom;
  #address;
  #description;
  #image;

  /**
   * @param {{ dialog: HTMLDialogElement, everywhere: HTMLElement }} elements
   * @param {Images} images
   * @param {LightboxHandlers} handlers
   */
  constructor({ dialog, everywhere }, images, handlers) {
    this.#dialog = dialog;
    this.#everywhere = everywhere;
    this.#images = images;
    this.#handlers = handlers;
    this.#image = /** @type {HTMLImageElement} */ (this.#part('image'));
    this.#zoom = new Zoom(this.#part('stage'), this.#part('content'), {
      onSwipe: (step) => this.#step(step),
      onChange: (scale) => (this.#part('scale').textContent = `${Math.round(scale * 100)} %`),
    });
    this.#description = new Description(this.#part('alt-form'), handlers.onAlt);
    this.#address = new Address((id) => (id ? this.open(id) : this.#dialog.close()));
    this.#listen();
  }

  /** The id of the image; empty if the lightbox is closed. */
  get shown() {
    return this.#dialog.open ? (this.#record?.id ?? '') : '';
  }

  /** Opens the image in the address, if any. Call when all images are known. */
  start() {
    if (imageInAddress()) this.open(imageInAddress());
  }

  /** @param {string} id */
  open(id) {
    const record = this.#images.get(id);
    if (!record) {
      this.#address.leave();
      notice('This photo is no longer on the board.');
      return;
    }
    if (this.shown === id || !this.#address.show(id)) return;
    const opening = !this.#dialog.open;
    this.#description.keep();
    this.#show(record);
    showModal(this.#dialog, this.#everywhere);
    this.#zoom.show(record.width, record.height);
    if (opening) this.focus();
    else announce(`${record.alt || record.fileName}, ${this.#part('count').textContent}.`);
  }

  /** Loads the image again if it failed to load. */
  retryFailed() {
    if (this.shown && this.#image.complete && this.#image.naturalWidth === 0) this.#image.src = this.#image.src;
  }

  focus() {
    this.#part('stage').focus();
  }

  /** @param {ImageRecord} record A changed or restored image. */
  changed(record) {
    if (this.shown !== record.id) {
      this.#writeCount();
      return;
    }
    this.#write(record);
  }

  /**
   * @param {ImageRecord} record A deleted image.
   * @returns {boolean} Whether the lightbox reports the deletion.
   */
  removed(record) {
    if (this.shown !== record.id) {
      this.#writeCount();
      return false;
    }
    if (this.#deleting !== record.id) {
      this.#showGone(true);
      return true;
    }
    const next = this.#neighbour(1) ?? this.#neighbour(-1);
    if (next) this.open(next);
    else this.#dialog.close();
    return false;
  }

  #listen() {
    const dialog = this.#dialog;
    const on = (/** @type {string} */ name, /** @type {() => void} */ act) => this.#part(name).addEventListener('click', act);
    on('close', () => dialog.close());
    on('next', () => this.#step(1));
    on('previous', () => this.#step(-1));
    on('copy', () => void this.#copy());
    on('delete', () => this.#delete());
    on('undo', () => this.#record && this.#handlers.onUndo(this.#record.id));
    on('more', () => this.#part('more').setAttribute('aria-expanded', String(dialog.classList.toggle('is-detailed'))));
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll('[data-zoom]'))) {
      const how = /** @type {'in' | 'out' | 'full' | 'fit'} */ (button.dataset.zoom);
      button.addEventListener('click', () => this.#zoom.act(how));
    }
    this.#image.addEventListener('load', () => {
      this.#dialog.classList.add('is-loaded');
      this.#zoom.show(this.#image.naturalWidth, this.#image.naturalHeight);
      this.#preload();
    });
    // A browser that cannot decode the image shows its alt text.
    this.#image.addEventListener('error', () => this.#image.hasAttribute('src') && dialog.classList.add('is-loaded'));
    dialog.addEventListener('keydown', (event) => this.#key(event));
    dialog.addEventListener('close', () => this.#closed());
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || target.matches('textarea')) return;
    const { key } = event;
    const arrow = ARROWS[key];
    if (arrow && (this.#zoom.isZoomed || event.shiftKey)) this.#zoom.pan(...arrow);
    else if (arrow && arrow[0] !== 0) this.#step(/** @type {1 | -1} */ (arrow[0]));
    else if (key === 'PageDown') this.#step(1);
    else if (key === 'PageUp') this.#step(-1);
    else if (key === 'Delete') this.#delete();
    else if (ZOOM_KEYS[key]) this.#zoom.act(ZOOM_KEYS[key]);
    else return;
    event.preventDefault();
  }

  /** @param {ImageRecord} record */
  #show(record) {
    this.#record = record;
    this.#deleting = '';
    this.#dialog.classList.remove('is-loaded');
    const preview = /** @type {HTMLImageElement} */ (this.#part('preview'));
    const known = this.#handlers.previewOf(record.id);
    preview.hidden = !known;
    if (known) preview.src = known;
    this.#image.removeAttribute('src');
    this.#image.src = urlOf(record);
    this.#description.show(record);
    this.#write(record);
  }

  /** @param {ImageRecord} record */
  #write(record) {
    this.#record = record;
    const { fileName, alt, width, height, size, type } = record;
    this.#image.alt = alt || fileName;
    this.#part('name').textContent = fileName;
    this.#part('by').textContent = addedText(record);
    this.#part('damaged').hidden = !record.damaged;
    this.#part('dimensions').textContent = `${width} × ${height}`;
    this.#part('size').textContent = sizeText(size);
    this.#part('type').textContent = typeName(type);
    this.#part('download').setAttribute('href', `/image/download/${record.id}`);
    this.#description.update(record);
    this.#showGone(false);
    this.#writeCount();
  }

  #writeCount() {
    if (!this.#record) return;
    const order = this.#handlers.order();
    this.#part('count').textContent = `${order.at(this.#record) + 1} of ${order.size}`;
    const alone = this.#neighbour(1) === undefined;
    for (const name of ['next', 'previous', 'count']) this.#part(name).hidden = alone;
  }

  /** @param {boolean} gone */
  #showGone(gone) {
    const was = this.#dialog.classList.contains('is-gone');
    if (was === gone) return;
    const inside = this.#part('gone').contains(document.activeElement);
    const acting = this.#part('actions').contains(document.activeElement);
    this.#dialog.classList.toggle('is-gone', gone);
    this.#part('gone').hidden = !gone;
    this.#part('actions').inert = gone;
    this.#part('alt-form').inert = gone;
    this.#part('gone-text').textContent = gone ? `Someone deleted ${this.#record?.fileName}.` : '';
    if (gone && acting) this.#part('undo').focus();
    if (!gone && inside) this.focus();
  }

  /** @param {1 | -1} step */
  #step(step) {
    const next = this.#neighbour(step);
    if (next) this.open(next);
  }

  /**
   * The id of the next or previous image, cyclic.
   * @param {1 | -1} step
   * @returns {string | undefined}
   */
  #neighbour(step) {
    const order = this.#handlers.order();
    if (!this.#record) return undefined;
    const at = order.at(this.#record);
    const there = order.idAt(at) === this.#record.id;
    if (order.size === 0 || (there && order.size === 1)) return undefined;
    const next = step === 1 && !there ? at : at + step;
    return order.idAt((next + order.size) % order.size);
  }

  /** Loads the neighbours, so that they open without a delay. */
  #preload() {
    for (const step of /** @type {const} */ ([1, -1])) {
      const record = this.#images.get(this.#neighbour(step) ?? '');
      if (record) new Image().src = urlOf(record);
    }
  }

  #delete() {
    const id = this.shown;
    if (!this.#images.get(id)) return;
    this.#deleting = id;
    this.#handlers.onDelete(id);
  }

  async #copy() {
    if (!this.#record) return;
    const link = addressOf(this.#record.id);
    const copied = await copyText(link, this.#dialog);
    notice(copied ? 'Link copied' : `Copy this link: ${link}`);
  }

  #closed() {
    this.#description.keep();
    const id = this.#record?.id ?? '';
    this.#record = null;
    this.#image.removeAttribute('src');
    this.#address.leave();
    this.#handlers.onClose(id);
  }

  /** @param {string} name */
  #part(name) {
    return /** @type {HTMLElement} */ (this.#dialog.querySelector(`[data-${name}]`));
  }
}
