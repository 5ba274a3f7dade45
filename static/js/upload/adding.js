// @ts-check
// From files in a person's hand to uploads and their places on the board, and what the others see of it.

import { RemoteUploads } from './remote-uploads.js';
import { Duplicates } from './duplicates.js';
import { lookAt } from './files.js';
import { boundsOf } from '../board/geometry.js';
import { placesAround, placesFrom } from '../board/layout.js';
import { notice } from '../ui/notice.js';
import { element, template } from '../ui/page.js';
import { Pending } from './pending.js';
import { highlight } from '../board/highlight.js';
import { Announcements } from './announcements.js';
import { Upload } from './item.js';
import { UploadQueue } from './upload-queue.js';
import { find } from './upload-list.js';
import { writePanel } from './upload-panel.js';

/** @typedef {import('../board/board.js').Board} Board */
/** @typedef {import('../board/camera.js').Camera} Camera */
/** @typedef {import('../feed/feed.js').Feed} Feed */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').Point} Point */

/** @typedef {{ board: Board, camera: Camera, feed: Feed, images: Images }} Parts */

export class Adding {
  /** What others are adding. */
  remoteUploads;
  #pending;
  #uploads;
  #announcements;
  #duplicates;
  #parts;
  #onAdd;

  /**
   * @param {Parts} parts
   * @param {object} handlers
   * @param {(id: string) => void} handlers.onAdd A image is being added here.
   * @param {() => void} handlers.onChange The number of what is being added may have changed.
   */
  constructor(parts, { onAdd, onChange }) {
    const tile = (/** @type {string} */ id) => parts.board.tile(id);
    const list = element('pending');
    this.#parts = parts;
    this.#onAdd = onAdd;
    this.#duplicates = new Duplicates(parts.images);
    this.#uploads = new UploadQueue((upload) => this.#write(upload));
    this.#pending = new Pending({ list, template: template('upload') }, {
      tile,
      onShrink: (upload) => void this.#uploads.shrink(upload),
      onRetry: (upload) => this.#uploads.retry(upload),
      onCancel: (upload) => this.#cancel(upload),
      onShow: (upload) => this.#show(upload),
      onAnyway: (upload) => this.#uploads.enqueue(upload),
      onChange: (cards) => {
        writePanel(element('uploads'), [...cards].map(({ upload }) => upload));
        onChange();
      },
    });
    this.#announcements = new Announcements(parts.feed, (id) => this.#pending.boxOf(id));
    this.remoteUploads = new RemoteUploads({ list, template: template('remote-upload') }, {
      tile,
      isThere: (id) => parts.images.get(id) !== undefined || this.#pending.boxOf(id) !== undefined,
      onChange,
    });
    this.#usePanel();
  }

  /** How many places are taken by what is not there yet. */
  get size() {
    return this.#pending.size + this.remoteUploads.size;
  }

  /**
   * Each file's preview appears in its place at once, and is uploaded unless the board has it.
   * @param {File[]} files
   * @param {Point | null} point Where on the page they were dropped; otherwise they come into the middle of the view.
   */
  async add(files, point) {
    const { camera } = this.#parts;
    camera.chosen = true;
    const target = point ? camera.toBoard(point) : camera.middle;
    const looks = await Promise.all(files.map(lookAt));
    const aspects = looks.map((look) => look?.aspect ?? 1);
    const boxes = point ? placesFrom(aspects, target) : placesAround(aspects, target);
    const all = files.map((file, at) => new Upload(file, placementOf(boxes[at])));
    all.forEach(({ id }) => this.#onAdd(id));
    all.forEach((upload, at) => this.#pending.add(upload, boxes[at], looks[at]?.url ?? null));
    all.forEach((upload) => void this.#uploads.add(upload, this.#duplicates));
    const bounds = boundsOf(boxes);
    if (bounds && !point && !camera.sees(bounds)) camera.fit(bounds);
  }

  /** The feed has named an image. @param {string} id */
  arrived(id) {
    this.#pending.arrived(id);
    this.remoteUploads.arrived(id);
  }

  /** An image is gone. @param {string} id */
  gone(id) {
    this.#pending.gone(id);
  }

  /** The feed has named everything that there is. */
  ready() {
    this.#pending.ready((id) => this.#parts.images.get(id) !== undefined);
    this.#uploads.resume();
    this.#announcements.resume();
  }

  /** The session is over. */
  lost() {
    this.remoteUploads.clear();
  }

  /** @param {Upload} upload */
  #write(upload) {
    this.#pending.write(upload);
    this.#announcements.write(upload);
    if (upload.state === 'saved' || upload.state === 'failed') this.#duplicates.release(upload);
  }

  /** @param {Upload} upload */
  #cancel(upload) {
    this.#uploads.cancel(upload);
    this.#announcements.end(upload.id);
    this.#duplicates.release(upload);
  }

  /** @param {Upload} upload */
  #show({ twin }) {
    if (!twin || highlight(this.#parts, twin.id)) return;
    const box = this.#pending.boxOf(twin.id);
    if (box) this.#parts.camera.reveal(box);
    else notice(`${twin.fileName} is no longer on the board.`);
  }

  #usePanel() {
    const { camera } = this.#parts;
    const panel = element('uploads');
    find(panel, '[data-failed]').addEventListener('click', () => {
      const rect = this.#pending.focusFailed();
      if (rect) camera.reveal({ ...camera.toBoard(rect), w: rect.width / camera.scale, h: rect.height / camera.scale });
    });
    find(panel, '[data-shrink]').addEventListener('click', () => {
      for (const upload of this.#pending.shrinkable) void this.#uploads.shrink(upload);
    });
    find(panel, '[data-anyway]').addEventListener('click', () => {
      for (const upload of this.#pending.duplicates) this.#uploads.enqueue(upload);
    });
    find(panel, '[data-dismiss]').addEventListener('click', () => {
      for (const upload of this.#pending.duplicates) this.#pending.cancel(upload);
    });
  }
}

/**
 * @param {import('../feed/types.js').Box} box
 * @returns {import('./item.js').RequestedPlacement}
 */
function placementOf({ x, y, w }) {
  const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  return { x: round(x), y: round(y), w: round(w) };
}

/**
 * Shows that files held over the board can be dropped, and where they would go.
 * @param {HTMLElement} surface
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
