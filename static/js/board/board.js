// @ts-check
// Draws the board: one transformed layer with the tiles in and near the view. Draws at most once per frame.

import { position } from '../feed/images.js';
import { boxOf, contains, grow, overlaps } from './geometry.js';
import { Loads } from './loads.js';
import { nearestIn, nearestTo } from './nearest.js';
import { Tile } from './tile.js';

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('./moves.js').Moves} Moves */
/** @typedef {import('./selection.js').Selection} Selection */

/**
 * The distances from the view at which tiles are added and removed, in pixels. They differ, so that a small move back and
 * forth neither adds nor removes any.
 */
const ADD_PX = 400;
const REMOVE_PX = 1_200;
/** The margin of the floor around the view, and the width beyond which zooming in makes it anew, in pixels. */
const FLOOR_PX = 12_000;
const LARGEST_FLOOR_PX = 250_000;
/** The change of scale, as a natural logarithm, after which tiles are added and removed. */
const ZOOM_THRESHOLD = 0.2;
/** The distance between the dots of the background, in board units. */
const DOT_STEP = 32;
/** Names grow up to this factor as the board is zoomed out. Below the scale they are hidden, being illegible anyway. */
const LARGEST_NAME = 2;
const READABLE_SCALE = 0.35;
/** From this scale on two lines of a caption fit between two rows. */
const TWO_LINES_SCALE = 0.9;
/** Below this scale a thousand tiles can be in view, and corners and shadows are invisible: they are not painted. */
const DETAILED_SCALE = 0.25;
/** The number of new images in a frame above which none is faded in. */
const MAX_FADED_IN = 24;
/** The time without a change after which the view counts as at rest. */
const REST_MS = 160;
const LEAVE_MS = 180;
/** The time for adding tiles in one frame, in milliseconds. A jump to another part of the board may need hundreds of them. */
const ADD_MS = 10;

export class Board {
  /** The files that the tiles load. */
  loads = new Loads();
  /** The tiles in the document. @type {Map<string, Tile>} */
  #tiles = new Map();
  /** The boxes of records, which are replaced when they change: a pan looks at all of ten thousand. @type {WeakMap<ImageRecord, Box>} */
  #boxes = new WeakMap();
  /** The elements of deleted images that fade out, after all others in the document. @type {Set<HTMLElement>} */
  #leaving = new Set();
  /** Ids of the tiles, ascending, in the order of their elements. @type {string[]} */
  #order = [];
  /** @type {Set<string>} */
  #stale = new Set();
  #frame = 0;
  #rest = 0;
  #cameraMoved = true;
  /** The scale at which the tiles are painted. */
  #painted = 1;
  /** The view at which tiles were last added and removed. */
  #drawn = { x: 0, y: 0, scale: 0 };
  /** @type {Box} */
  #floor = { x: 0, y: 0, w: 0, h: 0 };
  #ranksStale = false;
  /** True if tiles are still to be added. */
  #isBehind = false;
  /** Called after a frame has been drawn. @type {(moved: boolean) => void} */
  onDraw = () => {};
  #isPaused = false;
  #focused = '';
  /** The image that Tab goes to: the last that had the focus, or one in view. */
  #current = '';
  /** An image that gets the focus when the feed sends it: one that is being restored. */
  #focusOnArrival = '';
  #hovered = '';
  #elements;
  #images;
  #camera;
  #moves;
  #selection;

  /**
   * @param {object} elements
   * @param {HTMLElement} elements.surface
   * @param {HTMLElement} elements.scene Transformed while the view moves.
   * @param {HTMLElement} elements.sheet Inside the scene; painted at the scale of the last rest.
   * @param {HTMLElement} elements.floor
   * @param {HTMLElement} elements.layer
   * @param {HTMLElement} elements.pending
   * @param {HTMLElement} elements.dots
   * @param {HTMLTemplateElement} elements.tile
   * @param {Images} images
   * @param {Camera} camera
   * @param {Moves} moves
   * @param {Selection} selection
   */
  constructor(elements, images, camera, moves, selection) {
    this.#elements = elements;
    this.#images = images;
    this.#camera = camera;
    this.#moves = moves;
    this.#selection = selection;
    elements.layer.addEventListener('focusin', (event) => this.#focus(idOf(event.target)));
    elements.layer.addEventListener('focusout', () => this.#focus(''));
    elements.layer.addEventListener('pointerover', (event) => this.#hover(idOf(event.target)));
    elements.layer.addEventListener('pointerleave', () => this.#hover(''));
  }

  /**
   * The box at which an image is shown, which may differ from its record while it is moved or loaded.
   * @param {ImageRecord} record
   * @returns {Box}
   */
  boxOf(record) {
    return this.#tiles.get(record.id)?.box ?? boxOf({ ...record, ...this.#moves.at(record.id) });
  }

  /** @param {string} id */
  tile(id) {
    return this.#tiles.get(id);
  }

  /**
   * Focuses an image and reveals it. Without such an image the board gets the focus; if the feed sends the image later,
   * as after Undo, the focus moves on to it.
   * @param {string} id
   */
  focus(id) {
    const record = this.#images.get(id);
    this.#focusOnArrival = record ? '' : id;
    this.#focused = record ? id : '';
    if (record) this.#drawTiles();
    (this.#tiles.get(id)?.frame ?? this.#elements.surface).focus({ preventScroll: true });
    if (record && !this.#camera.sees(this.boxOf(record))) this.#camera.reveal(this.boxOf(record));
  }

  /**
   * Moves the focus to the nearest image in a direction.
   * @param {string} id
   * @param {import('./nearest.js').Direction} direction
   */
  focusFrom(id, direction) {
    const from = this.#images.get(id);
    if (!from) return;
    const items = [...this.#images.values()].map((record) => ({ id: record.id, box: this.#boxNow(record) }));
    const next = nearestIn({ id, box: this.#boxNow(from) }, items, direction);
    if (next) this.focus(next.id);
  }

  /** Loads the images again that failed to load. */
  retryFailed() {
    for (const tile of this.#tiles.values()) tile.retry();
  }

  /** Draws all tiles again, after what may be done with them has changed. */
  refresh() {
    for (const id of this.#tiles.keys()) this.#stale.add(id);
    this.#schedule();
  }

  /** Draws nothing until `resume`. */
  pause() {
    this.#isPaused = true;
  }

  resume() {
    this.#isPaused = false;
    this.viewChanged();
  }

  /** Schedules a frame after the view has changed. */
  viewChanged() {
    this.#cameraMoved = true;
    this.#schedule();
  }

  /**
   * Schedules a frame after an image has been added, changed or deleted.
   * @param {string} id
   */
  changed(id) {
    // A hidden page draws no frames, and forgets what is added and deleted meanwhile.
    if (this.#images.get(id) || this.#tiles.has(id)) this.#stale.add(id);
    else this.#stale.delete(id);
    this.#schedule();
    if (id !== this.#focusOnArrival || !this.#images.get(id)) return;
    this.#focusOnArrival = '';
    // Unless the user has moved the focus meanwhile.
    if (document.activeElement === this.#elements.surface) this.focus(id);
  }

  #schedule() {
    if (!this.#isPaused) this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    if (this.#cameraMoved) this.#drawView();
    if (this.#stale.size > 0 || this.#isBehind || this.#hasMovedFar()) this.#drawTiles();
    if (this.#ranksStale) this.#drawRanks();
    this.#drawControls();
    if (!this.#tiles.has(this.#current)) this.#chooseCurrent();
    this.onDraw(this.#cameraMoved);
    this.#cameraMoved = false;
    this.#stale.clear();
    clearTimeout(this.#rest);
    this.#rest = window.setTimeout(() => this.#drawAtRest(), REST_MS);
  }

  #drawView() {
    const { x, y, scale } = this.#camera;
    const { scene, layer, pending, dots } = this.#elements;
    const painted = this.#painted;
    const whole = scale === painted ? (/** @type {number} */ value) => Math.round(value * devicePixelRatio) / devicePixelRatio : Number;
    scene.style.transform = `scale(${scale / painted}) translate(${whole(-x * painted)}px, ${whole(-y * painted)}px)`;
    pending.style.setProperty('--unscale', String(1 / scale));
    layer.classList.toggle('is-far', scale < READABLE_SCALE);
    layer.classList.toggle('is-tiny', scale < DETAILED_SCALE);
    const step = DOT_STEP * scale * 2 ** Math.max(0, Math.ceil(Math.log2(0.6 / scale)));
    dots.style.backgroundSize = `${step}px ${step}px`;
    dots.style.transform = `translate(${-modulo(x * scale, step)}px, ${-modulo(y * scale, step)}px)`;
  }

  /**
   * Paints the tiles at the current scale, with legible names. This touches every tile, so it waits until the view is at
   * rest; until then the painted layer is transformed.
   */
  #drawAtRest() {
    const { layer, sheet } = this.#elements;
    if (this.#painted !== this.#camera.scale) {
      this.#painted = this.#camera.scale;
      sheet.style.transform = `scale(${this.#painted})`;
      this.#drawView();
    }
    layer.style.setProperty('--line-size', String(1 / this.#camera.scale));
    this.#drawPixels();
    this.#chooseCurrent();
    layer.style.setProperty('--name-size', String(Math.min(LARGEST_NAME, Math.max(1, 1 / this.#camera.scale))));
    layer.style.setProperty('--name-lines', this.#camera.scale < TWO_LINES_SCALE ? '1' : '2');
  }

  /** Tells each tile its size on the screen, from which it chooses the thumbnail or the full image. */
  #drawPixels() {
    const { view, scale } = this.#camera;
    for (const tile of this.#tiles.values()) this.#chooseFile(tile, view, scale);
  }

  /**
   * @param {Tile} tile
   * @param {Box} view
   * @param {number} scale
   */
  #chooseFile(tile, view, scale) {
    tile.show(Math.max(tile.box.w, tile.box.h) * scale * devicePixelRatio, overlaps(tile.box, view));
  }

  /** True if the view has moved far enough since `#drawn` that tiles may have to be added. */
  #hasMovedFar() {
    const { x, y, scale } = this.#camera;
    const { x: lastX, y: lastY, scale: lastScale } = this.#drawn;
    return Math.abs(Math.log(scale / lastScale)) > ZOOM_THRESHOLD || Math.max(Math.abs(x - lastX), Math.abs(y - lastY)) * scale > ADD_PX / 2;
  }

  /** Removes, refreshes and adds tiles. Those that take too long to add are left to the next frame. */
  #drawTiles() {
    const end = performance.now() + ADD_MS;
    this.#isBehind = false;
    this.#drawn = { x: this.#camera.x, y: this.#camera.y, scale: this.#camera.scale };
    this.#drawFloor();
    const kept = this.#kept();
    const near = grow(this.#camera.view, ADD_PX / this.#camera.scale);
    const far = grow(this.#camera.view, REMOVE_PX / this.#camera.scale);
    for (const id of [...this.#tiles.keys()]) {
      const record = this.#images.get(id);
      if (!record) this.#removeTile(id, true);
      else if (!kept.has(id) && !overlaps(this.#boxNow(record), far)) this.#removeTile(id, false);
    }
    for (const record of this.#images.values()) {
      const tile = this.#tiles.get(record.id);
      if (tile) {
        if (this.#stale.has(record.id)) this.#refresh(tile, record);
      } else if (kept.has(record.id) || overlaps(this.#boxNow(record), near)) {
        if (performance.now() < end || kept.has(record.id)) this.#addTile(record);
        else this.#isBehind = true;
      }
    }
    if (this.#isBehind) this.#schedule();
  }

  /** Resizes the floor, which lies below all tiles. Each change repaints them, so the floor has a wide margin. */
  #drawFloor() {
    const { view, scale } = this.#camera;
    if (contains(this.#floor, grow(view, (2 * REMOVE_PX) / scale)) && this.#floor.w * scale < LARGEST_FLOOR_PX) return;
    this.#floor = grow(view, FLOOR_PX / scale);
    const { style } = this.#elements.floor;
    const { x, y, w, h } = this.#floor;
    style.left = `${x}px`;
    style.top = `${y}px`;
    style.width = `${w}px`;
    style.height = `${h}px`;
  }

  /** Keeps the controls of the hovered and the focused tile, and of a single selected one, at one size on the screen. */
  #drawControls() {
    const selected = this.#selection.size === 1 ? this.#selection.ids : [];
    for (const id of [this.#focused, this.#hovered, ...selected]) this.#tiles.get(id)?.showControls(this.#camera.scale);
  }

  /** Ids that stay in the document outside the view. */
  #kept() {
    // A caption that could not be saved keeps its editor.
    return new Set([this.#focused, this.#current, idOf(this.#elements.layer.querySelector('.is-captioning'))]);
  }

  /** The board is one stop of Tab: the image that had the focus, or the one in the middle of the view if that is out of view. */
  #chooseCurrent() {
    const { view, middle } = this.#camera;
    const tile = this.#tiles.get(this.#current);
    if (this.#focused || (tile && overlaps(tile.box, view))) return;
    const items = [...this.#tiles].map(([id, { box }]) => ({ id, box }));
    this.#makeCurrent(nearestTo(middle, items)?.id ?? '');
  }

  /** @param {string} id */
  #makeCurrent(id) {
    this.#tiles.get(this.#current)?.frame.setAttribute('tabindex', '-1');
    this.#current = id;
    this.#tiles.get(id)?.frame.setAttribute('tabindex', '0');
  }

  /** @param {ImageRecord} record */
  #boxNow(record) {
    const held = this.#moves.at(record.id);
    if (held) return boxOf({ ...record, ...held });
    const known = this.#boxes.get(record) ?? boxOf(record);
    this.#boxes.set(record, known);
    return known;
  }

  /** @param {ImageRecord} record */
  #addTile(record) {
    const tile = new Tile(this.#elements.tile, record, this.loads);
    const at = position(this.#order, record.id);
    const next = this.#tiles.get(this.#order[at]);
    this.#order.splice(at, 0, record.id);
    this.#tiles.set(record.id, tile);
    tile.select(this.#selection.has(record.id));
    tile.place(this.#moves.at(record.id) ?? record);
    tile.frame.tabIndex = record.id === this.#current ? 0 : -1;
    tile.element.classList.toggle('is-new', this.#stale.has(record.id) && this.#stale.size <= MAX_FADED_IN);
    this.#chooseFile(tile, this.#camera.view, this.#camera.scale);
    this.#elements.layer.insertBefore(tile.element, next?.element ?? this.#leaving.values().next().value ?? null);
    this.#ranksStale = true;
  }

  /**
   * @param {string} id
   * @param {boolean} gone The image is deleted, not only out of view.
   */
  #removeTile(id, gone) {
    const tile = this.#tiles.get(id);
    if (!tile) return;
    this.#tiles.delete(id);
    const at = position(this.#order, id);
    this.#order.splice(at, 1);
    if (!gone) {
      tile.remove();
      return;
    }
    const heir = this.#tiles.get(this.#order[at]) ?? this.#tiles.get(this.#order[at - 1]);
    if (tile.element.contains(document.activeElement)) (heir?.frame ?? this.#elements.surface).focus({ preventScroll: true });
    tile.element.classList.add('is-leaving');
    tile.element.inert = true;
    delete tile.element.dataset.id;
    this.#elements.layer.append(tile.element);
    this.#leaving.add(tile.element);
    setTimeout(() => {
      this.#leaving.delete(tile.element);
      tile.remove();
    }, LEAVE_MS);
  }

  /**
   * @param {Tile} tile
   * @param {ImageRecord} record
   */
  #refresh(tile, record) {
    const held = this.#moves.at(record.id);
    tile.element.classList.toggle('is-held', held !== undefined);
    tile.select(this.#selection.has(record.id));
    tile.write(record);
    if (held) tile.place(held);
    else tile.glide(record);
    this.#ranksStale = true;
  }

  #drawRanks() {
    this.#ranksStale = false;
    const depth = (/** @type {string} */ id) => (this.#moves.at(id) ?? this.#images.get(id))?.z ?? 0;
    const sorted = this.#order.map((id) => ({ id, z: depth(id) })).sort((a, b) => a.z - b.z || (a.id < b.id ? -1 : 1));
    sorted.forEach(({ id }, rank) => this.#tiles.get(id)?.raise(rank));
  }

  /** @param {string} id */
  #hover(id) {
    if (id === this.#hovered) return;
    const before = this.#hovered;
    this.#hovered = id;
    this.#play(before, id);
    this.#schedule();
  }

  /** Animations play while hovered or focused. @param {string[]} ids */
  #play(...ids) {
    for (const id of ids) this.#tiles.get(id)?.play(id === this.#hovered || id === this.#focused);
  }

  /** @param {string} id */
  #focus(id) {
    if (id === this.#focused) return;
    const before = this.#focused;
    this.#focused = id;
    this.#play(before, id);
    if (id) this.#makeCurrent(id);
    if (id) this.#drawTiles(); // Not in the next frame: a key may be pressed again before it.
    this.#schedule();
    const record = this.#images.get(id);
    if (!record || !this.#tiles.get(id)?.frame.matches(':focus-visible')) return;
    this.#camera.chosen = true;
    this.#camera.reveal(this.boxOf(record));
  }
}

/** The image that an element belongs to. @param {EventTarget | null} target */
export function idOf(target) {
  const tile = target instanceof Element ? target.closest('[data-id]') : null;
  return tile instanceof HTMLElement ? (tile.dataset.id ?? '') : '';
}

/**
 * @param {number} value
 * @param {number} step
 */
function modulo(value, step) {
  return ((value % step) + step) % step;
}
