// @ts-check
// The show: one photo after the other on a full screen, such as a television. It runs for days, so it creates no elements:
// two layers take turns.

import { showCodes } from '../invite/address.js';
import { find } from '../ui/page.js';
import { altOf } from '../ui/text.js';
import { Approved } from './approved.js';
import { Controls } from './controls.js';
import { Layer } from './layer.js';
import { Sequence } from './sequence.js';
import { WakeLock } from './wake-lock.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/** The time from one photo to the next. */
const INTERVAL_MS = 6_000;
/** As long as the cross-fade in show.css: the layer that fades out cannot load before. */
const FADE_MS = 1_200;
/** After so many failures in a row the connection is probably gone: the current photo stays for another interval. */
const MAX_FAILURES = 5;

/** Also the keys of remote controls. @type {Record<string, 'next' | 'previous' | 'pause' | 'full' | 'close'>} */
const KEYS = {
  ArrowRight: 'next',
  PageDown: 'next',
  MediaTrackNext: 'next',
  ArrowLeft: 'previous',
  PageUp: 'previous',
  MediaTrackPrevious: 'previous',
  ' ': 'pause',
  MediaPlayPause: 'pause',
  f: 'full',
  F: 'full',
  Backspace: 'close',
  BrowserBack: 'close',
  GoBack: 'close',
};

export class Show {
  /** The photo that is shown. @type {ImageRecord | null} */
  #record = null;
  /** The photo in the hidden layer. @type {{ record: ImageRecord, step: 1 | -1, loaded: boolean } | null} */
  #next = null;
  /** True if the next photo is to be shown as soon as it is loaded. */
  #due = false;
  #paused = false;
  /** True if the user asked for the next photo: only then screen readers announce it. */
  #asked = false;
  #failures = 0;
  #timer = 0;
  #dialog;
  #frame;
  #images;
  #handlers;
  #sequence;
  #front;
  #back;
  #controls;
  #wakeLock = new WakeLock();

  /**
   * @param {{ dialog: HTMLDialogElement }} elements
   * @param {import('../feed/images.js').Images} images
   * @param {{ onClose: () => void }} handlers
   */
  constructor({ dialog }, images, handlers) {
    this.#dialog = dialog;
    this.#frame = find(dialog, '[data-frame]');
    this.#images = new Approved(images);
    this.#handlers = handlers;
    this.#sequence = new Sequence(this.#images);
    const [front, back] = dialog.querySelectorAll('img[data-layer]');
    this.#front = new Layer(/** @type {HTMLImageElement} */ (front));
    this.#back = new Layer(/** @type {HTMLImageElement} */ (back));
    this.#controls = new Controls(this.#frame, find(dialog, '[data-controls]'), (action) => this.#act(action));
    this.#part('action="full"').hidden = !document.fullscreenEnabled;
    dialog.addEventListener('keydown', (event) => this.#key(event));
    dialog.addEventListener('close', () => this.#closed());
    document.addEventListener('visibilitychange', () => this.#schedule());
  }

  open() {
    if (this.#dialog.open) return;
    this.#sequence.begin();
    this.#dialog.showModal();
    this.#frame.focus();
    this.#controls.show();
    this.#wakeLock.hold();
    void showCodes(this.#dialog);
    this.#begin();
  }

  close() {
    this.#dialog.close();
  }

  /** @param {ImageRecord} record A new photo, or one that has just been approved. */
  added({ id, waiting }) {
    if (!this.#dialog.open || waiting) return;
    this.#sequence.add(id);
    this.#showEmpty();
    if (!this.#record) this.#due = true;
    // A layer that still fades out loads later.
    if (this.#due || this.#next) void this.#prepare(this.#next?.step ?? 1);
  }

  /** @param {ImageRecord} record A changed photo. */
  changed(record) {
    if (this.#next?.record.id === record.id) this.#next.record = record;
    if (this.#record?.id !== record.id) return;
    this.#record = record;
    this.#front.describe(altOf(record));
    this.#write();
  }

  /** @param {ImageRecord} record A deleted photo, which is gone from the images. */
  removed({ id }) {
    if (!this.#dialog.open) return;
    this.#sequence.remove(id);
    for (const layer of [this.#front, this.#back]) if (layer.id === id) layer.clear();
    const wasNext = this.#next?.record.id === id;
    if (wasNext) this.#next = null;
    if (this.#record?.id === id) {
      this.#record = null;
      this.#due = true;
      this.#write();
    }
    this.#showEmpty();
    if (this.#due || wasNext) void this.#prepare(1);
  }

  /** The connection is back, or all photos are known for the first time. */
  retryFailed() {
    if (!this.#dialog.open) return;
    void showCodes(this.#dialog);
    if (!this.#record) this.#begin();
  }

  /** Shows the first photo. */
  #begin() {
    this.#failures = 0;
    this.#showEmpty();
    this.#advance(1);
  }

  /**
   * Loads the next photo into the hidden layer.
   * @param {1 | -1} step
   */
  async #prepare(step) {
    const record = this.#images.get(this.#sequence.peek(step));
    if (this.#next && this.#next.record.id === record?.id) {
      this.#next.step = step;
      this.#reveal();
      return;
    }
    const next = record ? { record, step, loaded: false } : null;
    this.#next = next;
    if (!next) return;
    next.loaded = await this.#back.load(next.record);
    if (this.#next !== next) return;
    if (next.loaded) this.#reveal();
    else this.#skip(next);
  }

  /** Fades to the next photo if it is time and it is loaded. */
  #reveal() {
    if (!this.#due || !this.#next?.loaded) return;
    const { record, step } = this.#next;
    this.#next = null;
    this.#due = false;
    this.#failures = 0;
    this.#sequence.move(record.id, step);
    [this.#front, this.#back] = [this.#back, this.#front];
    this.#back.hide();
    this.#front.show(altOf(record));
    this.#record = record;
    this.#write();
    this.#fadeWords();
    if (this.#asked) this.#say([altOf(record), byline(record)].filter(Boolean).join('. '));
    this.#asked = false;
    this.#schedule();
  }

  /** @param {{ record: ImageRecord, step: 1 | -1 }} next A photo that failed to load. */
  #skip({ record, step }) {
    this.#next = null;
    this.#sequence.skip(record.id, step);
    this.#failures += 1;
    if (this.#failures % MAX_FAILURES !== 0) void this.#prepare(step);
    else this.#schedule(INTERVAL_MS);
  }

  /**
   * Starts the time of the photo, and loads the next one after `delay`.
   * @param {number} [delay]
   */
  #schedule(delay = FADE_MS) {
    clearTimeout(this.#timer);
    if (!this.#dialog.open || document.hidden) return;
    this.#timer = window.setTimeout(() => {
      if (!this.#next) void this.#prepare(1);
      if (!this.#paused) this.#timer = window.setTimeout(() => this.#advance(1), INTERVAL_MS - FADE_MS);
    }, delay);
  }

  /** @param {1 | -1} step */
  #advance(step) {
    this.#due = true;
    if (this.#next?.step === step) this.#reveal();
    else void this.#prepare(step);
  }

  #write() {
    const { caption = '' } = this.#record ?? {};
    const by = this.#record ? byline(this.#record) : '';
    this.#part('caption').textContent = caption;
    this.#part('by').textContent = by;
    this.#part('words').hidden = !caption && !by;
  }

  #fadeWords() {
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    this.#part('words').animate({ opacity: [0, 1] }, { duration: FADE_MS, easing: 'ease-in-out' });
  }

  #showEmpty() {
    const { isEmpty } = this.#images;
    this.#part('empty').hidden = !isEmpty;
    this.#frame.classList.toggle('is-empty', isEmpty);
  }

  /** @param {string} text */
  #say(text) {
    this.#part('say').textContent = text;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    this.#controls.show();
    const onButton = /** @type {Element} */ (event.target).closest('button') !== null;
    const action = event.key === ' ' && onButton ? undefined : KEYS[event.key];
    if (!action) return;
    event.preventDefault();
    this.#act(action);
  }

  /** @param {string} action */
  #act(action) {
    if (action === 'close') this.close();
    if (action === 'full') void this.#toggleFullScreen();
    if (action === 'pause') this.#togglePause();
    if (action === 'next') this.#step(1);
    if (action === 'previous') this.#step(-1);
  }

  /** @param {1 | -1} step */
  #step(step) {
    this.#failures = 0;
    this.#asked = true;
    this.#advance(step);
  }

  #togglePause() {
    this.#pause(!this.#paused);
    this.#say(this.#paused ? 'Paused.' : 'Playing.');
  }

  /** @param {boolean} paused */
  #pause(paused) {
    this.#paused = paused;
    if (this.#record) this.#due = false;
    const button = this.#part('action="pause"');
    button.setAttribute('aria-label', paused ? 'Play' : 'Pause');
    button.title = `${paused ? 'Play' : 'Pause'} (Space)`;
    this.#frame.classList.toggle('is-paused', paused);
    this.#schedule();
  }

  async #toggleFullScreen() {
    // Refused without a click or key press.
    if (document.fullscreenElement) await document.exitFullscreen().catch(() => {});
    else await this.#frame.requestFullscreen?.().catch(() => {});
  }

  #closed() {
    clearTimeout(this.#timer);
    this.#record = null;
    this.#next = null;
    this.#due = false;
    this.#pause(false);
    this.#front.clear();
    this.#back.clear();
    this.#controls.hide();
    this.#wakeLock.release();
    this.#say('');
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => {});
    this.#handlers.onClose();
  }

  /** @param {string} name */
  #part(name) {
    return find(this.#dialog, `[data-${name}]`);
  }
}

/** @param {ImageRecord} record */
function byline({ author }) {
  return author ? `Added by ${author}` : '';
}
