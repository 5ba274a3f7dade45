// @ts-check
// Adding files to the board: uploads, their lines in the tray and their placeholders, and the placeholders of others.

import { boundsOf, boxOf } from '../board/geometry.js';
import { rowsFrom } from '../board/layout.js';
import { notice } from '../ui/notice.js';
import { element, template } from '../ui/page.js';
import { personName } from '../ui/person.js';
import { Duplicates } from './duplicates.js';
import { loadPreview } from './files.js';
import { Upload } from './item.js';
import { KeptUploads } from './kept.js';
import { Placeholders } from './placeholders.js';
import { Reservations } from './reservations.js';
import { Tray } from './tray.js';
import { UploadQueue } from './upload-queue.js';

/** @typedef {import('../board/board.js').Board} Board */
/** @typedef {import('../board/camera.js').Camera} Camera */
/** @typedef {import('../feed/feed.js').Feed} Feed */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').Point} Point */

/** @typedef {{ board: Board, camera: Camera, feed: Feed, images: Images }} Parts */

/** The pause between two placements after which those of files that were added together count as complete. */
const PLACED_MS = 250;

/** The longest wait for the first placement. By then the user may look elsewhere. */
const FIRST_PLACED_MS = 5000;

/** The number of uploads that are started at once, which takes a slow processor about 10 ms. */
const BATCH = 6;

export class Adding {
  /** Placeholders of the uploads of everybody. */
  placeholders;
  #uploads;
  #kept = new KeptUploads();
  #reservations;
  #duplicates;
  #tray;
  #parts;
  #askName;
  #onAdd;
  #onShow;
  /** Settles once the question for the name has. */
  #named = Promise.resolve();
  /** Uploads that were added together, until all have been started. @type {Set<Upload[]>} */
  #starting = new Set();
  /** The previews' object URLs. @type {Map<Upload, string>} */
  #previews = new Map();
  /** The ids of all uploads of this page. @type {Set<string>} */
  #own = new Set();
  /** Uploads whose placements the view has not shown yet. @type {Set<Upload>} */
  #unrevealed = new Set();
  /** Their placements. @type {Box[]} */
  #placed = [];
  #placedTimer = 0;
  /** True if the next placements are the first of the board, which the view then fits. */
  #fitsNext = false;

  /**
   * @param {Parts} parts
   * @param {object} handlers
   * @param {() => Promise<void>} handlers.askName Asks for the user's name; nothing is sent before.
   * @param {(id: string) => void} handlers.onAdd Called for each new upload of this page.
   * @param {() => void} handlers.onChange Called when `size` may have changed.
   * @param {(id: string) => void} handlers.onShow Shows an image to the user.
   */
  constructor(parts, { askName, onAdd, onChange, onShow }) {
    this.#parts = parts;
    this.#askName = askName;
    this.#onAdd = onAdd;
    this.#onShow = onShow;
    this.#duplicates = new Duplicates(parts.images, () => parts.feed.state === 'ready');
    this.#reservations = new Reservations(parts.feed, (upload, place) => this.#placeAt(upload, place));
    this.#uploads = new UploadQueue(
      (upload) => this.#write(upload),
      (upload, isWanted) => this.#reserve(upload, isWanted),
      (upload) => this.#kept.has(upload),
    );
    this.#tray = new Tray(element('uploads'), template('upload'), {
      retry: (upload) => this.#uploads.retry(upload),
      shrink: (upload) => void this.#uploads.shrink(upload),
      cancel: (upload) => this.#cancel(upload),
      stop: () => (this.#starting = new Set()),
      show: (upload) => this.#show(upload),
      anyway: (upload) => void this.#uploads.enqueue(upload),
    }, onChange);
    this.placeholders = new Placeholders({ list: element('pending'), template: template('placeholder') }, {
      tile: (id) => parts.board.tile(id),
      isThere: (id) => parts.images.get(id) !== undefined,
      onChange,
    });
  }

  /** The number of uploads and placeholders. */
  get size() {
    return this.#tray.size + this.placeholders.size;
  }

  /**
   * Uploads the files that the board does not have.
   * @param {File[]} files
   * @param {Point | null} point The drop point on the page; null lets the server choose the placements.
   */
  async add(files, point) {
    const { camera } = this.#parts;
    camera.chosen = true;
    const target = point && camera.toBoard(point);
    if (!point && this.#parts.images.size === 0) this.#fitsNext = true;
    this.#named = this.#askName();
    const author = personName();
    const uploads = files.map((file) => new Upload(file, { author }));
    for (const upload of uploads) this.#unrevealed.add(upload);
    await this.#start(uploads, target);
  }

  /** Uploads what an earlier page could not send. */
  async #addKept() {
    const kept = await this.#kept.takeOver();
    // The answer to some may have been lost.
    await this.#start(kept.filter((upload) => !this.#parts.images.get(upload.id) || this.#kept.forget(upload)));
  }

  /**
   * Starts uploads in batches: hundreds at once would hold up a frame.
   * @param {Upload[]} uploads
   * @param {Point | null} [target] Where they are laid. Otherwise the server chooses their placements.
   */
  async #start(uploads, target = null) {
    /** @type {ReturnType<typeof rowsFrom> | null} */
    let place = null;
    this.#starting.add(uploads);
    for (let at = 0; at < uploads.length; at += BATCH) {
      const batch = uploads.slice(at, at + BATCH);
      await Promise.all(batch.map((upload) => this.#load(upload)));
      if (!this.#starting.has(uploads)) return;
      if (target) place ??= rowsFrom(target, batch.map(({ pixels }) => pixels), uploads.length);
      for (const upload of batch) {
        if (place) upload.point = rounded(place(upload.pixels));
        this.#onAdd(upload.id);
        this.#own.add(upload.id);
        this.#tray.add(upload, this.#previews.get(upload) ?? null);
      }
      for (const upload of batch) void this.#uploads.add(upload, this.#duplicates);
    }
    this.#starting.delete(uploads);
    this.#awaitPlaced();
  }

  /** Loads the preview of an upload and its dimensions. @param {Upload} upload */
  async #load(upload) {
    if (upload.pixels) return;
    const preview = await loadPreview(upload.file);
    if (!preview) return;
    this.#previews.set(upload, preview.url);
    upload.pixels = preview.pixels;
  }

  /** The feed has sent an image. @param {string} id */
  arrived(id) {
    this.placeholders.arrived(id);
  }

  /** An image has been deleted. @param {string} id */
  deleted(id) {
    this.placeholders.remove(id);
  }

  /** The feed has sent all images. */
  ready() {
    this.#uploads.resume();
    this.#reservations.resume();
    void this.#addKept();
  }

  /** The connection is lost. */
  lost() {
    this.#uploads.hold();
    this.placeholders.clear();
  }

  /**
   * Another viewer starts an upload, or the server has moved the placement of an upload.
   * @param {{ upload?: unknown }} data
   */
  begin(data) {
    // Not one of this page that has been canceled meanwhile.
    const id = String(data.upload);
    if (!this.#own.has(id) || this.placeholders.boxOf(id)) this.placeholders.begin(data);
  }

  /**
   * @param {Upload} upload
   * @param {() => boolean} isWanted
   */
  async #reserve(upload, isWanted) {
    if (!upload.pixels) {
      // The file has been converted or shrunk since it was added.
      const preview = await loadPreview(upload.file);
      if (preview) URL.revokeObjectURL(preview.url);
      upload.pixels = preview?.pixels ?? null;
    }
    await this.#reservations.reserve(upload, isWanted);
    await this.#named;
  }

  /**
   * @param {Upload} upload
   * @param {{ x: number, y: number, w: number }} place
   */
  #placeAt(upload, place) {
    if (!upload.pixels || this.#parts.images.get(upload.id)) return;
    const box = boxOf({ ...upload.pixels, ...place });
    this.placeholders.add(upload.id, box, this.#previews.get(upload) ?? null);
    // Not after a retry, a reconnection or a long wait: the user may look elsewhere by then.
    if (!this.#unrevealed.delete(upload)) return;
    this.#placed.push(box);
    this.#awaitPlaced();
  }

  #awaitPlaced() {
    clearTimeout(this.#placedTimer);
    if (this.#starting.size > 0) return;
    const wait = this.#placed.length > 0 ? PLACED_MS : FIRST_PLACED_MS;
    this.#placedTimer = window.setTimeout(() => this.#revealPlaced(), wait);
  }

  /** Shows where the files that were added lie. */
  #revealPlaced() {
    const { camera } = this.#parts;
    const bounds = boundsOf(this.#placed.splice(0));
    const isFirst = this.#fitsNext;
    this.#fitsNext = false;
    this.#unrevealed.clear();
    if (bounds && isFirst) return camera.fit(bounds);
    if (!bounds || camera.sees(bounds)) return;
    const fits = bounds.w * camera.scale < camera.width && bounds.h * camera.scale < camera.height;
    if (fits) camera.reveal(bounds);
    else camera.fit(bounds);
  }

  /** @param {Upload} upload */
  #write(upload) {
    const { id, state, progress } = upload;
    this.#kept.follow(upload);
    this.#tray.write(upload);
    this.placeholders.progress(id, progress);
    if (state === 'saved') this.placeholders.saved(id);
    if (state === 'failed' || state === 'duplicate') this.placeholders.remove(id);
    if (state !== 'saved' && state !== 'failed') return;
    this.#reservations.end(upload);
    this.#duplicates.release(upload);
    if (state === 'saved') this.#releasePreview(upload);
  }

  /** @param {Upload} upload */
  #cancel(upload) {
    this.#uploads.cancel(upload);
    this.#kept.forget(upload);
    this.#reservations.end(upload);
    this.#duplicates.release(upload);
    this.placeholders.remove(upload.id);
    this.#releasePreview(upload);
  }

  /** @param {Upload} upload */
  #releasePreview(upload) {
    const url = this.#previews.get(upload);
    // An element that shows it keeps it.
    if (url) URL.revokeObjectURL(url);
    this.#previews.delete(upload);
  }

  /** @param {Upload} upload */
  #show({ twin }) {
    if (!twin) return;
    if (this.#parts.images.get(twin.id)) return this.#onShow(twin.id);
    const box = this.placeholders.boxOf(twin.id);
    if (box) this.#parts.camera.reveal(box);
    else notice(`${twin.fileName} is no longer on the board.`);
  }
}

/**
 * Shows the drop target while files are dragged over the page.
 * @param {HTMLElement} surface The view.
 * @param {{ point: Point, count: number } | null} hover
 */
export function showHover(surface, hover) {
  surface.classList.toggle('is-drop-target', hover !== null);
  const target = document.getElementById('target');
  const text = document.getElementById('target-text');
  if (!hover || !target || !text) return;
  target.style.transform = `translate(${hover.point.x}px, ${hover.point.y}px)`;
  text.textContent = hover.count > 1 ? `Drop ${hover.count} here` : 'Drop here';
}

/** @param {Point} point */
function rounded({ x, y }) {
  return { x: Math.round(x), y: Math.round(y) };
}
