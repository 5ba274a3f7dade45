// @ts-check
// The elements of one image on the board.

import { mayChange } from '../access/access.js';
import { writeWaiting } from '../access/waiting-badge.js';
import { fileOf } from '../feed/image-urls.js';
import { thumbhashUrl } from '../feed/thumbhash.js';
import { tileRatio } from './geometry.js';
import { altOf, nameOf, shownName } from '../ui/text.js';
import { isAnimated, sizeFor } from './resolution.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('./loads.js').Loads} Loads */
/** @typedef {import('./resolution.js').Size} Size */

/** On an image shown smaller than this, in pixels, the controls lie outside, so that they are not hit by mistake. */
const SMALL_PX = 110;
/** On an image shown smaller than this the handle is hidden: it would leave no space to drag the image by. */
const SPECK_PX = 40;
/** The hover time after which an animation plays. A pointer that only passes starts none. */
const PLAY_DELAY_MS = 150;
/** The difference between the aspect ratios of an image and its thumbnail that rounding explains, as a logarithm. */
const ROUNDING = 0.1;
/** The bounds of the animation of a move by another viewer, which takes as long as the pause before the update. */
const SHORTEST_GLIDE_MS = 100;
const LONGEST_GLIDE_MS = 700;
/** After a longer pause an update starts a new move. */
const SAME_MOVE_MS = 1_500;

const DAMAGED = 'Damaged: part of this photo may be missing';

export class Tile {
  /** Height divided by width as displayed. Old records ignore the orientation in the file. */
  #ratio = 1;
  #rank = -1;
  /** The file that is shown; null before the first is loaded. @type {Size | null} */
  #size = null;
  /** The file that is being loaded to replace the current one. @type {{ size: Size, leave: () => void } | null} */
  #next = null;
  /** The file that is loaded while none is shown. @type {Size} */
  #first = 'full';
  #pixels = 0;
  #inView = false;
  #playing = false;
  #playTimer = 0;
  #record;
  #loads;
  #shown = '';
  /** Called when the file is loaded, will not be, or is not needed. @type {(() => void)[]} */
  #waiting = [];
  /** The time of the last move by another viewer. */
  #movedAt = 0;
  /** @type {Box} */
  box = { x: 0, y: 0, w: 0, h: 0 };

  /**
   * @param {HTMLTemplateElement} template
   * @param {ImageRecord} record
   * @param {Loads} loads
   */
  constructor(template, record, loads) {
    const fragment = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    this.element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    this.element.dataset.id = record.id;
    this.frame = part(this.element, '[data-image]');
    this.image = /** @type {HTMLImageElement} */ (part(this.element, 'img'));
    this.name = part(this.element, '[data-name]');
    this.open = part(this.element, '[data-open]');
    this.delete = part(this.element, '[data-delete]');
    this.handle = part(this.element, '[data-handle]');
    this.#record = record;
    this.#loads = loads;
    this.image.addEventListener('load', () => this.#firstLoaded());
    this.image.addEventListener('error', () => this.#firstFailed());
    this.write(record);
    this.element.classList.toggle('is-animated', isAnimated(record));
    if (record.thumbhash) this.frame.style.setProperty('--blurred', `url(${thumbhashUrl(record.thumbhash, this.#ratio)})`);
  }

  /** @param {ImageRecord} record */
  write(record) {
    const [text, name] = [altOf(record), nameOf(record)];
    this.#record = record;
    this.#ratio = this.#ratioNow();
    this.image.alt = text;
    this.name.textContent = shownName(record);
    this.name.title = record.fileName;
    this.element.classList.toggle('is-captioned', Boolean(record.caption));
    this.element.classList.toggle('is-unnamed', this.name.textContent === '');
    this.element.title = record.damaged ? DAMAGED : '';
    this.element.classList.toggle('is-opaque', record.type === 'image/jpeg');
    this.element.classList.toggle('is-fixed', !mayChange(record));
    this.frame.setAttribute('aria-label', record.waiting ? `${text}, waiting for approval` : text);
    this.#describe();
    writeWaiting(this.element, record);
    this.open.setAttribute('aria-label', `Open ${name}`);
    this.delete.setAttribute('aria-label', `Delete ${name}`);
    this.handle.setAttribute('aria-label', `Width of ${name}`);
  }

  /** @param {{ x: number, y: number, w: number }} placement */
  place({ x, y, w }) {
    const h = w * this.#ratio;
    this.box = { x, y, w, h };
    const shown = `${x} ${y} ${w} ${h}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.style.transform = `translate(${x}px, ${y}px)`;
    this.element.style.width = `${w}px`;
    this.element.style.height = `${h}px`;
    this.handle.setAttribute('aria-valuenow', String(Math.round(w)));
  }

  /**
   * Like `place`, animated at the pace of the updates, which are less frequent if many images move together.
   * @param {{ x: number, y: number, w: number }} placement
   */
  glide(placement) {
    const { x, y, w } = this.box;
    if (x === placement.x && y === placement.y && w === placement.w) return;
    const now = performance.now();
    const pause = now - this.#movedAt < SAME_MOVE_MS ? (now - this.#movedAt) * 1.2 : 0;
    this.#movedAt = now;
    const duration = Math.round(Math.min(LONGEST_GLIDE_MS, Math.max(SHORTEST_GLIDE_MS, pause)));
    this.element.style.setProperty('--glide', `${duration}ms`);
    this.place(placement);
  }

  /** @param {boolean} selected */
  select(selected) {
    if (this.element.classList.toggle('is-selected', selected) !== (this.frame.dataset.selected === 'true')) {
      this.frame.dataset.selected = String(selected);
      this.#describe();
    }
  }

  #describe() {
    const help = this.element.classList.contains('is-fixed') ? 'tile-help-fixed' : 'tile-help';
    this.frame.setAttribute('aria-describedby', this.frame.dataset.selected === 'true' ? `tile-selected ${help}` : help);
  }

  /** @param {number} rank Higher is in front. */
  raise(rank) {
    if (rank === this.#rank) return;
    this.#rank = rank;
    this.element.style.zIndex = String(rank);
  }

  /** The URL of the file that is displayed; empty before one is loaded. */
  get preview() {
    return this.element.classList.contains('is-loaded') ? this.image.currentSrc : '';
  }

  /** Loads the file again that failed to load, if one did. */
  retry() {
    this.element.classList.remove('is-broken');
    this.#chooseFile();
  }

  /**
   * Loads the file that fits.
   * @param {number} pixels The longest side on the screen, in device pixels.
   * @param {boolean} inView
   */
  show(pixels, inView) {
    this.#pixels = pixels;
    this.#inView = inView;
    this.#chooseFile();
  }

  /** @param {boolean} playing Whether an animation plays; otherwise its first frame is shown. */
  play(playing) {
    if (playing === this.#playing || !isAnimated(this.#record)) return;
    this.#playing = playing;
    clearTimeout(this.#playTimer);
    this.#playTimer = window.setTimeout(() => this.#chooseFile(), playing ? PLAY_DELAY_MS : 0);
  }

  /**
   * Resolves when the image is visible, has failed to load, needs no file, or is removed. The browser would keep an image, and
   * with it the tile, for as long as a `decode()` is pending, which out of view is forever.
   */
  async shown() {
    const isPending = this.#size === null && this.#next !== null;
    if (isPending && this.element.isConnected) await new Promise((resolve) => this.#waiting.push(() => resolve(null)));
    if (!this.element.isConnected) return;
    await this.image.decode().catch(() => {});
    await Promise.allSettled(this.element.getAnimations().map(({ finished }) => finished));
  }

  /** Removes the tile for good. */
  remove() {
    clearTimeout(this.#playTimer);
    this.#dropNext();
    this.element.remove();
    this.#settle();
  }

  /** @param {number} scale The scale of the board. */
  showControls(scale) {
    this.element.style.setProperty('--unscale', String(1 / scale));
    const side = Math.min(this.box.w, this.box.h) * scale;
    this.element.classList.toggle('is-small', side < SMALL_PX);
    this.element.classList.toggle('is-speck', side < SPECK_PX);
  }

  #chooseFile() {
    if (this.element.classList.contains('is-broken')) return;
    const size = sizeFor(this.#record, { pixels: this.#pixels, inView: this.#inView, playing: this.#playing, size: this.#size });
    if (size === null) {
      this.#dropNext();
      this.#settle();
    } else if (size === this.#size) this.#dropNext();
    else if (size !== this.#next?.size) void this.#load(size);
  }

  #dropNext() {
    this.#next?.leave();
    this.#next = null;
  }

  /** Loads a file when it is its turn. @param {Size} size */
  async #load(size) {
    this.#dropNext();
    const next = { size, leave: () => {} };
    this.#next = next;
    const leave = await this.#loads.enter(() => this.#inView || this.#next !== next);
    if (this.#next !== next) return leave();
    next.leave = leave;
    if (this.#size === null) this.#loadFirst(size);
    else await this.#swap(next);
  }

  /** @param {Size} size */
  #loadFirst(size) {
    this.#first = size;
    this.image.src = fileOf(this.#record, size);
  }

  /** Another file may have been chosen since: it is loaded then. */
  #firstLoaded() {
    if (this.#size !== null) return;
    this.#size = this.#first;
    this.#loaded();
    this.#chooseFile();
  }

  /** Falls back from a thumbnail to the full image. */
  #firstFailed() {
    if (this.#size !== null) return;
    if (this.#first === 'full') {
      this.#dropNext();
      this.element.classList.add('is-broken');
      this.#settle();
    } else {
      this.#loadFirst('full');
    }
  }

  /**
   * Replaces the file once the next one is decoded, which avoids a flash.
   * @param {{ size: Size, leave: () => void }} next
   */
  async #swap(next) {
    const image = /** @type {HTMLImageElement} */ (this.image.cloneNode());
    image.src = fileOf(this.#record, next.size);
    const decoded = await image.decode().then(() => true, () => false);
    next.leave();
    if (this.#next !== next) return;
    if (!decoded) {
      // Chosen again when the view changes or the connection is back.
      this.#next = null;
      return;
    }
    this.#size = next.size;
    image.alt = this.image.alt;
    this.image.replaceWith(image);
    this.image = image;
    this.#loaded();
  }

  #loaded() {
    this.#dropNext();
    this.element.classList.toggle('is-full', this.#size === 'full');
    this.element.classList.add('is-loaded');
    this.frame.style.removeProperty('--blurred');
    this.#ratio = this.#ratioNow();
    this.place(this.box);
    this.#settle();
  }

  #settle() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /**
   * The ratio in the record, unless the loaded file is clearly flatter. A taller one, of an old record, shows its middle: it
   * would cover the row below. The sides of a thumbnail are rounded.
   */
  #ratioNow() {
    const { width, height } = this.#record;
    const { naturalWidth, naturalHeight } = this.image;
    const said = width > 0 && height > 0 ? height / width : 1;
    const seen = naturalWidth > 0 && naturalHeight > 0 ? naturalHeight / naturalWidth : said;
    return tileRatio(Math.log(said / seen) > ROUNDING ? seen : said);
  }
}

/**
 * @param {Element} element
 * @param {string} selector
 */
function part(element, selector) {
  const found = element.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page lacks ${selector}`);
  return found;
}
