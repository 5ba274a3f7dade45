// @ts-check
// The album: all photos by day, newest first, in justified rows. Only those in and near the view are in the document.

import { idOf } from '../board/board.js';
import { ORDERS } from '../board/tidy.js';
import { find } from '../ui/page.js';
import { addDays } from './days.js';
import { firstIndex, layOut, rowBelow, rowWith, TOP } from './layout.js';
import { destination } from './keys.js';
import { Sheet } from './sheet.js';

/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/** Rows are added when the view comes nearer than `NEAR_PX` to where they end, and then as far as `FAR_PX`. */
const NEAR_PX = 300;
const FAR_PX = 900;
/** Nearer to the top than this, new photos push the others down. Further down, what is in view stays where it is. */
const AT_TOP_PX = 24;
/** The number of new photos in a frame above which none is faded in. */
const MAX_FADED_IN = 24;
const HIGHLIGHTED_MS = 2_400;

/** A photo, and the distance of its row from the top of the view. @typedef {{ record: ImageRecord, y: number }} Seen */

export class Album {
  /** Newest first. @type {ImageRecord[]} */
  #records = [];
  #layout = layOut([], 0, new Date());
  #isOpen = false;
  /** True if photos or the width have changed since the layout was made. */
  #stale = false;
  /** True if the photos glide to their new places. */
  #glides = false;
  #frame = 0;
  #midnight = 0;
  /** The rows in the document, without that of the focused photo. */
  #drawn = { first: 0, last: -1 };
  /** Photos that have just been added. @type {Set<string>} */
  #fresh = new Set();
  /** The photo that Tab reaches. */
  #stop = '';
  /** A photo that is to get the focus, once it is there. */
  #wanted = '';
  /** The photos that were in view when the album was closed. @type {Seen[]} */
  #left = [];
  #content;
  #sheet;
  #images;
  #handlers;

  /**
   * @param {{ element: HTMLElement, photo: HTMLTemplateElement, day: HTMLTemplateElement }} elements
   * @param {Images} images
   * @param {{ onOpen: (id: string) => void, onDelete: (id: string) => void, onApprove: (id: string) => void }} handlers
   */
  constructor({ element, ...templates }, images, handlers) {
    this.element = element;
    this.#content = find(element, '[data-content]');
    this.#sheet = new Sheet(this.#content, templates);
    this.#images = images;
    this.#handlers = handlers;
    element.addEventListener('scroll', () => this.#schedule(), { passive: true });
    element.addEventListener('focusin', ({ target }) => this.#focusCame(idOf(target)));
    element.addEventListener('keydown', (event) => this.#key(event));
    element.addEventListener('click', (event) => this.#click(event));
    new ResizeObserver(() => this.#relayout(false)).observe(element);
  }

  /** Shows the album as it was left. */
  open() {
    this.#isOpen = true;
    this.element.hidden = false;
    this.#read();
    this.#hold(this.#left);
    this.#render(null);
    this.#draw();
    this.#awaitMidnight();
    // The keys that scroll work without a click.
    if (document.activeElement === document.body) this.element.focus({ preventScroll: true });
  }

  close() {
    this.#left = this.#seen();
    this.#isOpen = false;
    this.element.hidden = true;
    clearTimeout(this.#midnight);
    this.#records = [];
    this.#sheet.clear();
  }

  /** Reads all photos again, after the feed has sent them. */
  refresh() {
    if (!this.#isOpen) return;
    const seen = this.#seen();
    this.#read();
    this.#hold(seen);
    for (const [id, photo] of this.#sheet.photos) {
      const record = this.#images.get(id);
      if (record) photo.write(record);
      photo.retry();
    }
    this.#render(null);
    this.#draw();
  }

  /** @param {ImageRecord} record */
  added(record) {
    if (!this.#isOpen) return;
    this.#records.splice(this.#at(record), 0, record);
    this.#fresh.add(record.id);
    this.#relayout(true);
  }

  /** @param {ImageRecord} record */
  changed(record) {
    if (!this.#isOpen) return;
    const at = this.#at(record);
    const before = this.#records[at];
    if (before?.id !== record.id) return this.refresh();
    this.#records[at] = record;
    if (!this.#stale) this.#layout.records[at] = record;
    this.#sheet.photos.get(record.id)?.write(record);
    if (before.width !== record.width || before.height !== record.height) this.#relayout(true);
  }

  /** @param {ImageRecord} record */
  removed(record) {
    if (!this.#isOpen) return;
    const at = this.#at(record);
    if (this.#records[at]?.id !== record.id) return this.refresh();
    this.#records.splice(at, 1);
    this.#relayout(true);
    // In the next frame, once for all photos that are deleted together.
    if (this.#focused === record.id || this.#wanted === record.id) this.#wanted = (this.#records[at] ?? this.#records[at - 1])?.id ?? '';
  }

  /**
   * Focuses a photo and reveals it. Without such a photo the album gets the focus; if the feed sends the photo later, as
   * after Undo, the focus moves on to it.
   * @param {string} id
   */
  focus(id) {
    this.#wanted = id;
    this.#draw();
    if (!this.#has(id)) return this.element.focus({ preventScroll: true });
    this.#render(null);
    this.#takeFocus();
  }

  /** Shows where a photo is. @param {string} id */
  reveal(id) {
    this.focus(id);
    const element = this.#sheet.photos.get(id)?.element;
    element?.classList.add('is-highlighted');
    setTimeout(() => element?.classList.remove('is-highlighted'), HIGHLIGHTED_MS);
  }

  /** The order of the photos, for the lightbox. @returns {import('../lightbox/lightbox.js').Order} */
  get order() {
    return { size: this.#records.length, idAt: (at) => this.#records[at]?.id, at: (record) => this.#at(record) };
  }

  /** The URL of the file that shows a photo; empty if there is none. @param {string} id */
  previewOf(id) {
    return this.#sheet.photos.get(id)?.preview ?? '';
  }

  /** The id of the focused photo; empty if there is none. */
  get #focused() {
    return this.element.contains(document.activeElement) ? idOf(document.activeElement) : '';
  }

  /** The index of a photo, or that at which to insert it. @param {ImageRecord} record */
  #at(record) {
    return firstIndex(this.#records.length, (at) => ORDERS.time(record, this.#records[at]) >= 0);
  }

  /** @param {string} id */
  #has(id) {
    const record = this.#images.get(id);
    return record !== undefined && this.#records[this.#at(record)]?.id === id;
  }

  #read() {
    this.#records = [...this.#images.values()].sort((a, b) => ORDERS.time(b, a));
    this.#layOut();
  }

  #layOut() {
    this.#stale = false;
    this.#layout = layOut([...this.#records], this.element.clientWidth, new Date());
    this.#content.style.height = `${this.#layout.height}px`;
  }

  /** @param {boolean} glides */
  #relayout(glides) {
    this.#stale = true;
    this.#glides = glides;
    this.#schedule();
  }

  #schedule() {
    if (this.#isOpen) this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.#isOpen) return;
    if (this.#stale) {
      const seen = this.#seen();
      const top = this.element.scrollTop;
      this.#layOut();
      this.#hold(seen);
      this.#render(this.#glides ? this.element.scrollTop - top : null);
      // Not if the user has moved the focus meanwhile.
      if (!document.activeElement || [document.body, this.element].includes(/** @type {HTMLElement} */ (document.activeElement))) this.#takeFocus();
    } else if (this.#nearsEnd()) {
      this.#render(null);
    }
    if (!this.#focused) this.#setStop(this.#firstSeen());
  }

  /** The photos in view; none if the view is at the top. @returns {Seen[]} */
  #seen() {
    const { rows, records } = this.#layout;
    const { scrollTop, clientHeight } = this.element;
    if (scrollTop < AT_TOP_PX) return [];
    const inView = rows.slice(rowBelow(rows, scrollTop + TOP), rowBelow(rows, scrollTop + clientHeight) + 1);
    return inView.flatMap(({ start, end, y }) => records.slice(start, end).map((record) => ({ record, y: y - scrollTop })));
  }

  /** Scrolls so that the first of these photos that is still there is where it was. @param {Seen[]} seen */
  #hold(seen) {
    const first = seen.find(({ record }) => this.#has(record.id));
    if (first) this.element.scrollTop = this.#rowOf(first.record).y - first.y;
  }

  /** @param {ImageRecord} record */
  #rowOf(record) {
    const { rows } = this.#layout;
    return rows[rowWith(rows, this.#at(record))];
  }

  #nearsEnd() {
    const { rows } = this.#layout;
    const { first, last } = this.#drawn;
    const { scrollTop, clientHeight } = this.element;
    if (first > 0 && rows[first].y > scrollTop - NEAR_PX) return true;
    return last < rows.length - 1 && rows[last].y + rows[last].height < scrollTop + clientHeight + NEAR_PX;
  }

  /**
   * Shows the rows in and near the view, and that with the focus.
   * @param {number | null} moved See `Photo.place`.
   */
  #render(moved) {
    const { rows } = this.#layout;
    const { scrollTop, clientHeight } = this.element;
    const first = Math.min(rowBelow(rows, scrollTop - FAR_PX), Math.max(0, rows.length - 1));
    const last = Math.min(rowBelow(rows, scrollTop + clientHeight + FAR_PX), rows.length - 1);
    this.#drawn = { first, last };
    const shown = rows.slice(first, last + 1);
    const kept = [this.#wanted, this.#focused].find((id) => this.#has(id));
    const row = kept && this.#rowOf(/** @type {ImageRecord} */ (this.#images.get(kept)));
    if (row && row.start < rows[first].start) shown.unshift(row);
    else if (row && row.start > rows[last].start) shown.push(row);
    if (this.#fresh.size > MAX_FADED_IN) this.#fresh.clear();
    this.#sheet.show(shown, this.#layout, { moved, fresh: this.#fresh });
    this.#fresh.clear();
    this.#setStop(this.#stop);
  }

  #takeFocus() {
    const photo = this.#sheet.photos.get(this.#wanted);
    if (!photo) return;
    this.#wanted = '';
    photo.link.focus();
  }

  /** The first photo that is in view as a whole. */
  #firstSeen() {
    const { rows } = this.#layout;
    const row = rows[rowBelow(rows, this.element.scrollTop + TOP)] ?? rows[rows.length - 1];
    return row ? this.#records[row.start].id : '';
  }

  /** @param {string} id */
  #setStop(id) {
    const before = this.#sheet.photos.get(this.#stop);
    if (before) before.link.tabIndex = -1;
    this.#stop = id;
    const photo = this.#sheet.photos.get(id);
    if (photo) photo.link.tabIndex = 0;
  }

  /** @param {string} id */
  #focusCame(id) {
    if (!id) return;
    this.#wanted = '';
    this.#setStop(id);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const id = idOf(event.target);
    const record = this.#images.get(id);
    if (!record || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (this.#stale) this.#draw();
    const to = destination(event.key, this.#at(record), this.#layout);
    if (to !== null) this.focus(this.#records[to].id);
    else if (event.key === 'Delete' || event.key === 'Backspace') this.#handlers.onDelete(id);
    else return;
    event.preventDefault();
  }

  /** With a modifier the browser opens the link, as in a new tab. @param {MouseEvent} event */
  #click(event) {
    const id = idOf(event.target);
    if (/** @type {Element} */ (event.target).closest('[data-approve]')) return this.#handlers.onApprove(id);
    if (!id || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#handlers.onOpen(id);
  }

  /** Then “Today” becomes “Yesterday”. */
  #awaitMidnight() {
    const next = addDays(new Date(), 1).getTime();
    this.#midnight = window.setTimeout(() => {
      this.#relayout(false);
      this.#awaitMidnight();
    }, next - Date.now() + 1_000);
  }
}
