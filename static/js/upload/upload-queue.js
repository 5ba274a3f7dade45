// @ts-check
// The queue of uploads: sends a few files at a time, repeats what a broken connection lost, and keeps what was refused
// until the user has dealt with it.

import { canShrink, prepare, shrinkToLimit } from './prepare.js';
import { sendUpload } from './request.js';

/** @typedef {import('./duplicates.js').Duplicates} Duplicates */
/** @typedef {import('./item.js').Upload} Upload */
/** @typedef {import('./prepare.js').Prepared} Prepared */
/** @typedef {import('./request.js').Outcome} Outcome */

/** Browsers open six connections to a host, and images must still load meanwhile. */
const MAX_CONCURRENT = 3;
/** So many small files are sent at a time, which are mostly waiting for an answer. */
const MAX_SMALL = 5;
const SMALL_BYTES = 512 << 10;
/** Attempts over a broken connection or at a busy server before the upload fails and the user decides. */
const MAX_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 1_000;

export class UploadQueue {
  /** Uploads that are not in the queue yet: being prepared, or compared with the board. @type {Set<Upload>} */
  #preparing = new Set();
  /** @type {Upload[]} */
  #waiting = [];
  /** @type {Map<Upload, XMLHttpRequest>} */
  #running = new Map();
  /** Uploads that will be retried, with the timer. @type {Map<Upload, number>} */
  #paused = new Map();
  /** @type {WeakMap<Upload, number>} */
  #attempts = new WeakMap();
  /** Failed only because of the connection. @type {Set<Upload>} */
  #unreached = new Set();
  /** Wait for the connection. @type {Set<Upload>} */
  #offline = new Set();
  /** False while the connection is lost, and nothing is sent. */
  #isOnline = true;
  #onChange;
  #reserve;

  /**
   * @param {(upload: Upload) => void} onChange Called after every change of an upload.
   * @param {(upload: Upload, isWanted: () => boolean) => Promise<void>} [reserve] Reserves a placement before an upload is
   *   sent. `isWanted` is false once the upload is canceled.
   * @param {(upload: Upload) => boolean} [isKept] Whether the upload outlives the page.
   */
  constructor(onChange, reserve = async () => {}, isKept = () => false) {
    this.#onChange = onChange;
    this.#reserve = reserve;
    addEventListener('beforeunload', (event) => {
      if (!this.#unfinished.every(isKept)) event.preventDefault();
    });
  }

  /**
   * Adds an upload after converting its file, if necessary. It becomes a `duplicate` if the board has the same bytes.
   * @param {Upload} upload
   * @param {Duplicates} [duplicates] Without it the board may get the same bytes twice.
   */
  async add(upload, duplicates) {
    const turn = duplicates?.enter(upload);
    this.#preparing.add(upload);
    this.#change(upload, { state: 'checking' });
    const convert = () => this.#preparing.has(upload) && this.#change(upload, { state: 'converting' });
    const accepted = this.#accept(upload, await prepare(upload.file, convert));
    if (accepted) await turn?.before;
    const twin = accepted ? await duplicates?.twinOf(upload) : null;
    turn?.leave();
    if (!accepted) return;
    // Canceled while the hash was computed.
    if (!this.#preparing.delete(upload)) return duplicates?.release(upload);
    if (twin) this.#change(upload, { state: 'duplicate', twin });
    else await this.enqueue(upload);
  }

  /**
   * Shrinks an upload that failed because of its size, and sends it.
   * @param {Upload} upload
   */
  async shrink(upload) {
    if (upload.state !== 'failed' || !upload.canShrink) return;
    this.#preparing.add(upload);
    this.#change(upload, { state: 'converting' });
    if (!this.#accept(upload, await shrinkToLimit(upload.file))) return;
    this.#preparing.delete(upload);
    await this.enqueue(upload);
  }

  /**
   * Takes over the prepared file, or fails the upload.
   * @param {Upload} upload
   * @param {Prepared} prepared
   * @returns {boolean} False if the upload has ended: failed, or canceled meanwhile.
   */
  #accept(upload, prepared) {
    if (!this.#preparing.has(upload)) return false;
    if (prepared.reason === undefined) {
      if (upload.file !== prepared.file) upload.pixels = null;
      upload.file = prepared.file;
      return true;
    }
    this.#preparing.delete(upload);
    this.#fail(upload, prepared);
    return false;
  }

  /**
   * Sends an upload as it is, when it is its turn.
   * @param {Upload} upload
   */
  async enqueue(upload) {
    if (!this.#isOnline) return this.#hold(upload);
    this.#preparing.add(upload);
    this.#change(upload, { state: 'waiting', progress: 0 });
    await this.#reserve(upload, () => this.#preparing.has(upload));
    // Canceled while the placement was reserved.
    if (!this.#preparing.delete(upload)) return;
    if (!this.#isOnline) return this.#hold(upload);
    this.#waiting.push(upload);
    this.#startNext();
  }

  /**
   * Sends a failed or paused upload again, with a full number of attempts.
   * @param {Upload} upload
   */
  retry(upload) {
    if (!['failed', 'paused', 'offline'].includes(upload.state)) return;
    this.#remove(upload);
    this.#attempts.delete(upload);
    void this.enqueue(upload);
  }

  /** The connection is lost: everything waits until `resume`. What is being sent may still get through. */
  hold() {
    this.#isOnline = false;
    for (const upload of [...this.#paused.keys(), ...this.#waiting.splice(0)]) this.#hold(upload);
  }

  /** Retries at once everything that only the connection has delayed or failed, in the order in which it was added. */
  resume() {
    this.#isOnline = true;
    const delayed = [...this.#paused.keys(), ...this.#unreached, ...this.#offline];
    for (const upload of delayed.sort((one, other) => (one.id < other.id ? -1 : 1))) this.retry(upload);
  }

  /**
   * Drops an upload in any state.
   * @param {Upload} upload
   */
  cancel(upload) {
    const request = this.#running.get(upload);
    this.#remove(upload);
    this.#preparing.delete(upload);
    this.#waiting = this.#waiting.filter((other) => other !== upload);
    request?.abort();
    this.#startNext();
  }

  get #unfinished() {
    return [...this.#preparing, ...this.#waiting, ...this.#running.keys(), ...this.#paused.keys(), ...this.#offline];
  }

  /** @param {Upload} upload */
  #hold(upload) {
    this.#remove(upload);
    this.#offline.add(upload);
    this.#change(upload, { state: 'offline', progress: 0 });
  }

  /** @param {Upload} upload */
  #remove(upload) {
    clearTimeout(this.#paused.get(upload));
    this.#paused.delete(upload);
    this.#unreached.delete(upload);
    this.#offline.delete(upload);
    this.#running.delete(upload);
  }

  #startNext() {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const areSmall = [next, ...this.#running.keys()].every(({ file }) => file.size <= SMALL_BYTES);
      if (this.#running.size >= (areSmall ? MAX_SMALL : MAX_CONCURRENT)) return;
      this.#waiting.shift();
      this.#send(next);
    }
  }

  /** @param {Upload} upload */
  #send(upload) {
    // A cancelled or retried upload has another request, or none; events of the old one are stale.
    const isCurrent = () => this.#running.get(upload) === request;
    const request = sendUpload(upload, {
      onProgress: (progress) => isCurrent() && this.#change(upload, { progress }),
      onSent: () => isCurrent() && this.#change(upload, { state: 'saving', progress: 1 }),
      onOutcome: (outcome) => {
        if (!isCurrent()) return;
        this.#running.delete(upload);
        this.#conclude(upload, outcome);
        this.#startNext();
      },
    });
    this.#running.set(upload, request);
    this.#change(upload, { state: 'sending', progress: 0 });
  }

  /**
   * @param {Upload} upload
   * @param {Outcome} outcome
   */
  #conclude(upload, outcome) {
    switch (outcome.kind) {
      case 'saved':
        return this.#change(upload, { state: 'saved', record: outcome.record });
      case 'unreachable':
        return void this.#unreachable(upload);
      case 'busy':
        return this.#busy(upload, outcome);
      case 'refused':
        return void this.#refused(upload, outcome);
    }
  }

  /**
   * @param {Upload} upload
   * @param {{ status: number, reason: string }} outcome
   */
  async #refused(upload, { status, reason }) {
    // The page has checked the bytes if it knew the limit, but not the pixels, which would mean to decode every photo.
    this.#fail(upload, { reason, retryable: status >= 500, canShrink: await canShrink(upload.file, status) });
  }

  /**
   * @param {Upload} upload
   * @param {{ reason: string, retryable?: boolean, canShrink?: boolean }} failure
   */
  #fail(upload, { reason, retryable = false, canShrink = false }) {
    this.#change(upload, { state: 'failed', reason, retryable, canShrink });
  }

  /**
   * The request did not get through: because of the connection, or because the file is a folder or has been moved.
   * @param {Upload} upload
   */
  async #unreachable(upload) {
    this.#paused.set(upload, 0);
    const readable = await upload.file.slice(0, 1).arrayBuffer().then(() => true, () => false);
    if (!this.#paused.has(upload)) return;
    if (readable && !this.#isOnline) {
      this.#hold(upload);
    } else if (readable) {
      const pause = FIRST_PAUSE_MS * 2 ** (this.#attempts.get(upload) ?? 0);
      this.#pause(upload, pause, 'The server could not be reached.');
    } else {
      this.#paused.delete(upload);
      this.#fail(upload, { reason: 'This file cannot be read.' });
    }
  }

  /**
   * @param {Upload} upload
   * @param {{ retryAfterMs: number, isLimit: boolean, reason: string }} outcome
   */
  #busy(upload, { retryAfterMs, isLimit, reason }) {
    const pause = retryAfterMs || FIRST_PAUSE_MS;
    // A limit is no failure: it comes to every photo's turn. Those of a hall try again at different times.
    if (isLimit) this.#wait(upload, pause * (1 + Math.random()), reason);
    else this.#pause(upload, pause, reason);
  }

  /**
   * Retries after `pauseMs`, or fails after `MAX_ATTEMPTS`.
   * @param {Upload} upload
   * @param {number} pauseMs
   * @param {string} reason
   */
  #pause(upload, pauseMs, reason) {
    const attempts = (this.#attempts.get(upload) ?? 0) + 1;
    this.#attempts.set(upload, attempts);
    if (attempts >= MAX_ATTEMPTS) {
      this.#paused.delete(upload);
      this.#unreached.add(upload);
      this.#fail(upload, { reason, retryable: true });
      return;
    }
    this.#wait(upload, pauseMs, reason);
  }

  /**
   * Retries after `pauseMs`.
   * @param {Upload} upload
   * @param {number} pauseMs
   * @param {string} reason
   */
  #wait(upload, pauseMs, reason) {
    const again = () => {
      this.#paused.delete(upload);
      void this.enqueue(upload);
    };
    this.#paused.set(upload, window.setTimeout(again, pauseMs));
    this.#change(upload, { state: 'paused', reason, retryable: true });
  }

  /**
   * @param {Upload} upload
   * @param {Partial<Pick<Upload, 'state' | 'progress' | 'reason' | 'retryable' | 'canShrink' | 'record' | 'twin'>>} change
   */
  #change(upload, change) {
    Object.assign(upload, change);
    this.#onChange(upload);
  }
}
