// @ts-check
// Two to four images side by side in a dialog, zoomed and panned together.

import { announce } from '../ui/announce.js';
import { showModal } from '../ui/modal.js';
import { find } from '../ui/page.js';
import { addedText, altOf, shownName } from '../ui/text.js';
import { urlOf } from '../feed/image-urls.js';
import { ARROWS, ZOOM_KEYS, Zoom } from './zoom.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('./zoom.js').View} View */
/** @typedef {{ element: HTMLElement, zoom: Zoom }} Pane */

const FEWEST = 2;
const MOST = 4;
const WHOLE = { zoom: 1, x: 0, y: 0 };

/** True if this many images can be compared. @param {number} count */
export function canCompare(count) {
  return count >= FEWEST && count <= MOST;
}

export class Compare {
  /** @type {string[]} */
  #ids = [];
  /** @type {Map<string, Pane>} */
  #panes = new Map();
  /** The view that all panes share. @type {View} */
  #view = WHOLE;
  /** True if the user has closed it with the browser's Back. */
  #wentBack = false;
  #elements;
  #images;
  #handlers;
  #grid;

  /**
   * @param {{ dialog: HTMLDialogElement, everywhere: HTMLElement, pane: HTMLTemplateElement }} elements
   * @param {Images} images
   * @param {object} handlers
   * @param {(id: string) => string} handlers.previewOf The URL that the board displays; empty if none.
   * @param {(id: string) => void} handlers.onClose Called with the first image.
   */
  constructor(elements, images, handlers) {
    this.#elements = elements;
    this.#images = images;
    this.#handlers = handlers;
    const { dialog } = elements;
    this.#grid = find(dialog, '[data-panes]');
    find(dialog, '[data-close]').addEventListener('click', () => dialog.close());
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll('[data-zoom]'))) {
      button.addEventListener('click', () => this.#first?.act(/** @type {'in' | 'out' | 'fit'} */ (button.dataset.zoom)));
    }
    dialog.addEventListener('keydown', (event) => this.#key(event));
    dialog.addEventListener('close', () => this.#closed());
    addEventListener('popstate', () => {
      this.#wentBack = dialog.open;
      dialog.close();
    });
    new ResizeObserver(() => this.#follow()).observe(this.#grid);
  }

  /** @param {string[]} ids Two to four. */
  open(ids) {
    const { dialog, everywhere } = this.#elements;
    if (dialog.open || !canCompare(ids.length)) return;
    this.#ids = [...ids];
    this.#view = WHOLE;
    this.#draw();
    history.pushState({ ...history.state, compare: true }, '');
    showModal(dialog, everywhere);
    this.#follow();
    this.#grid.focus();
    announce(`Comparing ${this.#panes.size} photos.`);
  }

  /** @param {string} id An image that was added, changed or deleted. */
  changed(id) {
    if (!this.#elements.dialog.open || !this.#ids.includes(id)) return;
    this.#draw();
    if (this.#panes.size === 0) this.#elements.dialog.close();
    else this.#follow();
  }

  get #first() {
    return [...this.#panes.values()][0]?.zoom;
  }

  #draw() {
    const records = this.#ids.flatMap((id) => this.#images.get(id) ?? []);
    const panes = new Map(records.map((record) => [record.id, this.#panes.get(record.id) ?? this.#paneOf(record)]));
    for (const record of records) write(/** @type {Pane} */ (panes.get(record.id)).element, record);
    const changed = [...panes.keys()].join() !== [...this.#panes.keys()].join();
    this.#panes = panes;
    if (changed) this.#grid.replaceChildren(...[...panes.values()].map(({ element }) => element));
    this.#grid.dataset.count = String(panes.size);
  }

  /**
   * @param {ImageRecord} record
   * @returns {Pane}
   */
  #paneOf(record) {
    const element = /** @type {HTMLElement} */ (this.#elements.pane.content.firstElementChild?.cloneNode(true));
    const zoom = new Zoom(find(element, '[data-stage]'), find(element, '[data-content]'), {
      onView: (view) => this.#follow(view, zoom),
    });
    zoom.show(record.width, record.height);
    const preview = /** @type {HTMLImageElement} */ (find(element, '[data-preview]'));
    const known = this.#handlers.previewOf(record.id);
    preview.hidden = !known;
    if (known) preview.src = known;
    const image = /** @type {HTMLImageElement} */ (find(element, '[data-image]'));
    image.addEventListener('load', () => {
      element.classList.add('is-loaded');
      zoom.show(image.naturalWidth, image.naturalHeight);
      zoom.follow(this.#view);
    });
    // A browser that cannot decode the image shows its alt text.
    image.addEventListener('error', () => element.classList.add('is-loaded'));
    image.src = urlOf(record);
    return { element, zoom };
  }

  /**
   * Shows the same part of all images.
   * @param {View} [view]
   * @param {Zoom} [leader] The one that has changed.
   */
  #follow(view = this.#view, leader) {
    this.#view = view;
    for (const { zoom } of this.#panes.values()) if (zoom !== leader) zoom.follow(view);
    find(this.#elements.dialog, '[data-scale]').textContent = view.zoom > 1.01 ? `${view.zoom.toFixed(1)}×` : 'Fit';
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.#first?.pan(...arrow);
    else if (ZOOM_KEYS[event.key]) this.#first?.act(ZOOM_KEYS[event.key]);
    else return;
    event.preventDefault();
  }

  #closed() {
    const [first] = this.#ids;
    this.#panes.clear();
    this.#grid.replaceChildren();
    if (!this.#wentBack) history.back();
    this.#wentBack = false;
    this.#handlers.onClose(first);
  }
}

/**
 * @param {HTMLElement} element
 * @param {ImageRecord} record
 */
function write(element, record) {
  find(element, '[data-name]').textContent = shownName(record) || 'Photo';
  find(element, '[data-by]').textContent = addedText(record);
  /** @type {HTMLImageElement} */ (find(element, '[data-image]')).alt = altOf(record);
}
