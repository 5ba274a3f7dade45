// @ts-check
// The lightbox: one image in a dialog that fills the window, with facts and actions.

import { isHost, mayChange, mayDescribe } from '../access/access.js';
import { waitingText } from '../access/waiting-badge.js';
import { Address, addressOf, imageInAddress } from './address.js';
import { announce } from '../ui/announce.js';
import { copyText } from '../ui/copy.js';
import { addedText, altOf, nameOf, shownName, sizeText, typeName } from '../ui/text.js';
import { showModal } from '../ui/modal.js';
import { notice } from '../ui/notice.js';
import { pathOf } from '../ui/site.js';
import { urlOf } from '../feed/image-urls.js';
import { ARROWS, ZOOM_KEYS, Zoom } from './zoom.js';
import { TextField } from './text-field.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../feed/types.js').TextName} TextName */
/** @typedef {import('../feed/images.js').Images} Images */

/**
 * The order of the images: `at` is the index of an image, or the index at which a deleted one was.
 * @typedef {{ size: number, idAt: (at: number) => string | undefined, at: (record: ImageRecord) => number }} Order
 */

/**
 * @typedef {object} LightboxHandlers
 * @property {(id: string) => void} onDelete
 * @property {(id: string) => void} onUndo
 * @property {(id: string) => void} onApprove
 * @property {(id: string, name: TextName, text: string) => Promise<void>} onText Rejects if the text could not be saved.
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
  /** @type {Record<TextName, TextField>} */
  #texts;
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
    const field = (/** @type {TextName} */ name) =>
      new TextField(name, this.#part(`${name}-form`), (id, text) => handlers.onText(id, name, text));
    this.#texts = { caption: field('caption'), alt: field('alt') };
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
    this.#keepTexts();
    this.#show(record);
    showModal(this.#dialog, this.#everywhere);
    this.#zoom.show(record.width, record.height);
    if (opening) this.focus();
    else announce(`${altOf(record)}, ${this.#part('count').textContent}.`);
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
   * @param {string} [by] The name of the person who deleted it.
   * @returns {boolean} Whether the lightbox reports the deletion.
   */
  removed(record, by) {
    if (this.shown !== record.id) {
      this.#writeCount();
      return false;
    }
    if (this.#deleting !== record.id) {
      this.#showGone(true, by);
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
    on('approve', () => this.#record && this.#handlers.onApprove(this.#record.id));
    on('more', () => this.#detail(!dialog.classList.contains('is-detailed')));
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
    else if (key === 'F2') this.#editCaption();
    else if (ZOOM_KEYS[key]) this.#zoom.act(ZOOM_KEYS[key]);
    else return;
    event.preventDefault();
  }

  /** Shows or hides the details where there is little room. @param {boolean} on */
  #detail(on) {
    this.#dialog.classList.toggle('is-detailed', on);
    this.#part('more').setAttribute('aria-expanded', String(on));
  }

  #editCaption() {
    if (!this.#record || !mayDescribe(this.#record)) return;
    this.#detail(true);
    this.#texts.caption.focus();
  }

  #keepTexts() {
    for (const text of Object.values(this.#texts)) void text.keep();
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
    for (const text of Object.values(this.#texts)) text.show(record);
    this.#write(record);
  }

  /** @param {ImageRecord} record */
  #write(record) {
    this.#record = record;
    const { fileName, width, height, size, type, movedBy } = record;
    this.#image.alt = altOf(record);
    this.#part('name').textContent = shownName(record) || 'Photo';
    this.#part('file').textContent = fileName;
    this.#part('moved').hidden = !movedBy;
    this.#part('moved-by').textContent = movedBy ?? '';
    this.#part('by').textContent = addedText(record);
    this.#part('damaged').hidden = !record.damaged;
    this.#writeAccess(record);
    this.#part('dimensions').textContent = `${width} × ${height}`;
    this.#part('size').textContent = sizeText(size);
    this.#part('type').textContent = typeName(type);
    this.#part('download').setAttribute('href', pathOf(`image/download/${record.id}`));
    for (const text of Object.values(this.#texts)) text.update(record);
    this.#showGone(false);
    this.#writeCount();
  }

  /** Shows what may be done with the image. @param {ImageRecord} record */
  #writeAccess(record) {
    const changes = mayChange(record);
    const approve = this.#part('approve');
    const focused = [approve, this.#part('delete')].find((each) => each === document.activeElement);
    this.#part('waiting').hidden = !record.waiting;
    this.#part('waiting').textContent = waitingText();
    approve.hidden = !(record.waiting && isHost());
    this.#part('delete').hidden = !changes;
    if (focused?.hidden) this.focus();
    for (const name of Object.keys(this.#texts)) this.#part(`${name}-form`).hidden = !mayDescribe(record);
    this.#part('described').hidden = mayDescribe(record) || !record.alt;
    this.#part('description').textContent = record.alt ?? '';
    this.#part('undo').hidden = !changes;
  }

  /** Called when the permissions have changed. */
  accessChanged() {
    if (this.#record) this.#writeAccess(this.#record);
  }

  #writeCount() {
    if (!this.#record) return;
    const order = this.#handlers.order();
    this.#part('count').textContent = `${order.at(this.#record) + 1} of ${order.size}`;
    const alone = this.#neighbour(1) === undefined;
    for (const name of ['next', 'previous', 'count']) this.#part(name).hidden = alone;
  }

  /**
   * @param {boolean} gone
   * @param {string} [by]
   */
  #showGone(gone, by = 'Someone') {
    const was = this.#dialog.classList.contains('is-gone');
    if (was === gone) return;
    const inside = this.#part('gone').contains(document.activeElement);
    const acting = this.#part('actions').contains(document.activeElement);
    this.#dialog.classList.toggle('is-gone', gone);
    this.#part('gone').hidden = !gone;
    this.#part('actions').inert = gone;
    for (const name of Object.keys(this.#texts)) this.#part(`${name}-form`).inert = gone;
    this.#part('gone-text').textContent = gone && this.#record ? `${by} deleted ${nameOf(this.#record)}.` : '';
    if (gone && acting && !this.#part('undo').hidden) this.#part('undo').focus();
    else if (gone && acting) this.focus();
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
    if (!this.#images.get(id) || !mayChange(this.#images.get(id))) return;
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
    this.#keepTexts();
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
