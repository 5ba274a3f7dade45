// @ts-check
// The elements of one photo in the album.

import { writeWaiting } from '../access/waiting-badge.js';
import { excessOf, tileRatio } from '../board/geometry.js';
import { isAnimated } from '../board/resolution.js';
import { thumbOf, urlOf } from '../feed/image-urls.js';
import { thumbhashUrl } from '../feed/thumbhash.js';
import { find } from '../ui/page.js';

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

const GLIDE_MS = 220;
/** Of a photo that is this many times as long as its tile, the thumbnail has too few pixels of the part that is shown. */
const COARSE_EXCESS = 1.5;

export class Photo {
  /** @type {Box} */
  #box = { x: 0, y: 0, w: 0, h: 0 };
  /** True if the full image is loaded, because the thumbnail is missing or too coarse. */
  #isFull = false;
  #record;

  /**
   * @param {HTMLTemplateElement} template
   * @param {ImageRecord} record
   */
  constructor(template, record) {
    const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    this.link = /** @type {HTMLAnchorElement} */ (this.element.querySelector('a'));
    this.caption = find(this.element, '[data-caption]');
    this.image = /** @type {HTMLImageElement} */ (this.element.querySelector('img'));
    this.#record = record;
    this.element.dataset.id = record.id;
    this.link.href = `#image=${record.id}`;
    const ratio = tileRatio(record.height / record.width);
    if (record.thumbhash) this.link.style.setProperty('--blurred', `url(${thumbhashUrl(record.thumbhash, ratio)})`);
    this.image.addEventListener('load', () => this.element.classList.add('is-loaded'));
    this.image.addEventListener('error', () => this.#failed());
    this.write(record);
    this.#isFull = excessOf(record) > COARSE_EXCESS && !isAnimated(record);
    this.image.src = this.#isFull ? urlOf(record) : thumbOf(record);
  }

  /** @param {ImageRecord} record */
  write(record) {
    this.#record = record;
    this.link.setAttribute('aria-label', record.waiting ? `${labelOf(record)}, waiting for approval` : labelOf(record));
    writeWaiting(this.element, record);
    this.element.classList.toggle('is-opaque', record.type === 'image/jpeg');
    this.caption.hidden = !record.caption;
    find(this.caption, 'span').textContent = record.caption ?? '';
  }

  /**
   * @param {Box} box In pixels of the content.
   * @param {{ top: number, at: number, of: number, moved: number | null }} within `top` of its day, its place among `of`
   *   photos, and by how many pixels the page has scrolled since the last time; null places it without animation.
   */
  place(box, { top, at, of, moved }) {
    const before = this.#box;
    this.#box = box;
    const { style } = this.element;
    style.transform = `translate(${box.x}px, ${box.y - top}px)`;
    style.width = `${box.w}px`;
    style.height = `${box.h}px`;
    this.element.setAttribute('aria-posinset', String(at + 1));
    this.element.setAttribute('aria-setsize', String(of));
    if (moved !== null && before.w > 0) this.#glide(before.x - box.x, before.y - box.y + moved);
  }

  /** The URL of the file that is displayed; empty before it is loaded. */
  get preview() {
    return this.element.classList.contains('is-loaded') ? this.image.currentSrc : '';
  }

  /** Loads the image again if it failed to load. */
  retry() {
    if (!this.element.classList.contains('is-broken')) return;
    this.element.classList.remove('is-broken');
    this.image.src = this.image.src;
  }

  /** Removes it, and stops loading the image. */
  remove() {
    this.element.remove();
    this.image.removeAttribute('src');
  }

  /**
   * Moves from where it was on the screen.
   * @param {number} dx
   * @param {number} dy
   */
  #glide(dx, dy) {
    if ((dx === 0 && dy === 0) || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    this.link.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: 'none' }], { duration: GLIDE_MS, easing: 'ease-out' });
  }

  /** Falls back from the thumbnail to the full image. */
  #failed() {
    if (!this.image.hasAttribute('src')) return;
    if (this.#isFull) {
      this.element.classList.add('is-broken');
    } else {
      this.#isFull = true;
      this.image.src = urlOf(this.#record);
    }
  }
}

/** Never the name of the file, which cameras choose. @param {ImageRecord} record */
function labelOf({ alt, caption, author }) {
  return alt || caption || (author ? `Photo by ${author}` : 'Photo');
}
