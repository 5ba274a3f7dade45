// @ts-check
// The tray: the progress of all uploads of this page, a line for each, and actions for all of a kind at once.

import { find } from '../ui/page.js';
import { UploadList } from './upload-list.js';

/** @typedef {import('./item.js').Upload} Upload */
/** @typedef {import('./item.js').UploadState} UploadState */
/** @typedef {import('./upload-list.js').UploadActions} UploadActions */

/** The least time between two updates of the tray, each of which lays it out and paints it. */
const UPDATE_MS = 100;
/** Actions for all are shown from two uploads on. */
const SEVERAL = 2;
/** @type {ReadonlySet<UploadState>} */
const AWAITS_ANSWER = new Set(['failed', 'duplicate']);
/** On a phone the tray would cover the board: it says what is wrong in a line, and opens when that is tapped. */
const PHONE = matchMedia('(max-width: 640px)');

export class Tray {
  /** Uploads since the tray was last empty. */
  #total = 0;
  #saved = 0;
  #list;
  #panel;
  #onChange;
  /** Uploads whose lines are out of date. @type {Set<Upload>} */
  #stale = new Set();
  #timer = 0;
  /** The time of the last update. */
  #updated = -Infinity;

  /**
   * @param {HTMLElement} panel
   * @param {HTMLTemplateElement} template
   * @param {UploadActions} actions
   * @param {() => void} onChange Called when an upload has been added or removed.
   */
  constructor(panel, template, actions, onChange) {
    this.#panel = panel;
    this.#onChange = onChange;
    const cancel = (/** @type {Upload} */ upload) => {
      actions.cancel(upload);
      this.#remove(upload);
    };
    this.#list = new UploadList(find(panel, '[data-list]'), template, { ...actions, cancel });
    const forAll = (/** @type {string} */ name, /** @type {(upload: Upload) => boolean} */ concerns, /** @type {(upload: Upload) => void} */ act) =>
      find(panel, `[data-${name}-all]`).addEventListener('click', () => this.#list.uploads.filter(concerns).forEach(act));
    // Before the uploads that it has: those that it does not have yet.
    find(panel, '[data-cancel-all]').addEventListener('click', () => actions.stop?.());
    forAll('cancel', ({ state }) => state !== 'saved' && state !== 'saving', cancel);
    forAll('retry', ({ state, retryable }) => state === 'failed' && retryable, actions.retry);
    forAll('shrink', ({ state, canShrink }) => state === 'failed' && canShrink, actions.shrink);
    forAll('anyway', ({ state }) => state === 'duplicate', (upload) => actions.anyway?.(upload));
    find(panel, '[data-toggle]').addEventListener('click', () => this.#expand(panel.dataset.open !== 'true'));
  }

  /** The number of uploads in the tray. */
  get size() {
    return this.#list.uploads.length;
  }

  /**
   * @param {Upload} upload
   * @param {string | null} preview
   */
  add(upload, preview) {
    this.#total += 1;
    this.#list.add(upload, preview);
    this.#onChange();
  }

  /** @param {Upload} upload A changed upload. */
  write(upload) {
    if (!this.#list.has(upload)) return;
    const { state } = upload;
    if (state === 'saved' || AWAITS_ANSWER.has(state)) this.#list.write(upload);
    else this.#stale.add(upload);
    if (state === 'saved') {
      this.#saved += 1;
      this.#list.remove(upload);
      this.#onChange();
    }
    if (AWAITS_ANSWER.has(state) && !PHONE.matches) this.#expand(true);
    this.#schedule();
  }

  /** Hundreds of uploads change many times in a frame. */
  #schedule() {
    this.#timer ||= window.setTimeout(() => {
      this.#timer = 0;
      this.#updated = performance.now();
      for (const upload of this.#stale) this.#list.write(upload);
      this.#stale.clear();
      this.#show();
    }, this.#updated + UPDATE_MS - performance.now());
  }

  /** @param {Upload} upload */
  #remove(upload) {
    this.#total -= 1;
    this.#list.remove(upload);
    this.#onChange();
    this.#schedule();
  }

  /** @param {boolean} open */
  #expand(open) {
    this.#panel.dataset.open = String(open);
    find(this.#panel, '[data-toggle]').setAttribute('aria-expanded', String(open));
  }

  #show() {
    const { uploads } = this.#list;
    const panel = this.#panel;
    panel.hidden = uploads.length === 0;
    if (panel.hidden) {
      [this.#total, this.#saved] = [0, 0];
      this.#expand(false);
      return;
    }
    const failed = uploads.filter(({ state }) => state === 'failed');
    const duplicates = uploads.filter(({ state }) => state === 'duplicate').length;
    const open = uploads.length - failed.length - duplicates;
    const offline = uploads.filter(({ state }) => state === 'offline').length;
    const problems = [failed.length > 0 ? `${failed.length} not added` : '', duplicates > 0 ? `${duplicates} already on the board` : ''];
    const adding = offline === open ? `${offline} waiting for the connection` : `Adding ${Math.min(this.#saved + 1, this.#total)} of ${this.#total}`;
    find(panel, '[data-text]').textContent = open > 0 ? adding : '';
    find(panel, '[data-problems]').textContent = problems.filter(Boolean).join(', ');
    const progress = /** @type {HTMLProgressElement} */ (panel.querySelector('progress[data-total]'));
    progress.hidden = open === 0;
    progress.value = (this.#saved + uploads.reduce((sum, { progress, state }) => sum + (AWAITS_ANSWER.has(state) ? 1 : progress), 0)) / this.#total;
    const retryable = failed.filter(({ retryable }) => retryable).length;
    const shrinkable = failed.filter(({ canShrink }) => canShrink).length;
    show(find(panel, '[data-retry-all]'), retryable, `Try ${retryable} again`);
    show(find(panel, '[data-shrink-all]'), shrinkable, `Shrink and add ${shrinkable}`);
    show(find(panel, '[data-anyway-all]'), duplicates, `Add ${duplicates} anyway`);
    show(find(panel, '[data-cancel-all]'), uploads.length, open > 0 ? 'Cancel all' : 'Dismiss all');
  }
}

/**
 * @param {HTMLElement} button
 * @param {number} count
 * @param {string} text
 */
function show(button, count, text) {
  button.hidden = count < SEVERAL;
  button.textContent = text;
}
