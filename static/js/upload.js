// @ts-check
// Uploads: a queue that sends a few files at a time, repeats what a broken connection lost, and keeps what was refused
// until somebody has seen why.

import { personName } from './person.js';
import { uuidv7 } from './uuid.js';

/** @typedef {import('./types.js').ImageRecord} ImageRecord */

/**
 * - `checking`: whether the board has it already
 * - `duplicate`: the board has it; a person decides
 * - `waiting`: for its turn
 * - `sending`: bytes are on their way
 * - `saving`: all bytes are sent, the answer is outstanding
 * - `paused`: it did not get through and will be tried again by itself
 * - `saved`, `failed`: over
 * @typedef {'checking' | 'duplicate' | 'waiting' | 'sending' | 'saving' | 'paused' | 'saved' | 'failed'} UploadState
 */

/** Where the uploader wants it, in board units. @typedef {{ x: number, y: number, w: number }} Place */

/** Browsers open six connections to a host; images must still load meanwhile. */
const AT_ONCE = 3;
/** How often a broken connection or a busy server is tried again before a person is asked. */
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 1_000;
/** A connection on which nothing has moved for so long is given up. */
const STALL_MS = 60_000;

export class Upload {
  /** Stays the same over all attempts, so that a repeated one makes no second image. */
  id = uuidv7();
  /** @type {UploadState} */
  state = 'waiting';
  /** Sent bytes, 0 to 1. */
  progress = 0;
  /** Why it failed, as a sentence. */
  reason = '';
  /** Whether trying again can help. */
  retryable = false;
  /** @type {ImageRecord | null} */
  record = null;
  /** The same picture. @type {import('./duplicates.js').Twin | null} */
  twin = null;

  /**
   * @param {File} file
   * @param {Place} [place]
   */
  constructor(file, place) {
    this.file = file;
    this.place = place;
  }

  get fileName() {
    return this.file.name;
  }
}

export class Uploads {
  /** @type {Set<Upload>} */
  #checking = new Set();
  /** @type {Upload[]} */
  #waiting = [];
  /** @type {Map<Upload, XMLHttpRequest>} */
  #running = new Map();
  /** Those that will be tried again, with the timer for it. @type {Map<Upload, number>} */
  #paused = new Map();
  /** @type {WeakMap<Upload, number>} */
  #attempts = new WeakMap();
  /** Those that only the connection failed. @type {Set<Upload>} */
  #unreached = new Set();
  #onChange;

  /** @param {(upload: Upload) => void} onChange Called after every change of an upload. */
  constructor(onChange) {
    this.#onChange = onChange;
    addEventListener('beforeunload', (event) => {
      if (this.open > 0) event.preventDefault();
    });
  }

  /** How many are not over yet. */
  get open() {
    return this.#checking.size + this.#waiting.length + this.#running.size + this.#paused.size;
  }

  /** @param {Upload} upload */
  add(upload) {
    this.#enqueue(upload);
  }

  /**
   * Adds it if the board does not have it already.
   * @param {Upload} upload
   * @param {import('./duplicates.js').Duplicates} duplicates
   */
  async addNew(upload, duplicates) {
    this.#checking.add(upload);
    this.#change(upload, { state: 'checking' });
    const twin = await duplicates.twinOf(upload);
    if (!this.#checking.delete(upload)) return duplicates.forget(upload);
    if (twin) this.#change(upload, { state: 'duplicate', twin });
    else this.#enqueue(upload);
  }

  /**
   * Tries a failed one again.
   * @param {Upload} upload
   */
  retry(upload) {
    if (upload.state !== 'failed' && upload.state !== 'paused') return;
    this.#forget(upload);
    this.#attempts.delete(upload);
    this.#enqueue(upload);
  }

  /** The server can be reached again: tries now what it could not take before. */
  resume() {
    for (const upload of [...this.#paused.keys(), ...this.#unreached]) this.retry(upload);
  }

  /**
   * Gives an upload up, wherever it is.
   * @param {Upload} upload
   */
  cancel(upload) {
    const request = this.#running.get(upload);
    this.#forget(upload);
    this.#checking.delete(upload);
    this.#waiting = this.#waiting.filter((other) => other !== upload);
    request?.abort();
    this.#next();
  }

  /** @param {Upload} upload */
  #forget(upload) {
    clearTimeout(this.#paused.get(upload));
    this.#paused.delete(upload);
    this.#unreached.delete(upload);
    this.#running.delete(upload);
  }

  /** @param {Upload} upload */
  #enqueue(upload) {
    this.#waiting.push(upload);
    this.#change(upload, { state: 'waiting', progress: 0 });
    this.#next();
  }

  #next() {
    while (this.#running.size < AT_ONCE) {
      const upload = this.#waiting.shift();
      if (!upload) return;
      this.#send(upload);
    }
  }

  /** @param {Upload} upload */
  #send(upload) {
    const request = new XMLHttpRequest();
    let stall = 0;
    const moved = () => {
      clearTimeout(stall);
      stall = window.setTimeout(() => request.abort(), STALL_MS);
    };
    const isCurrent = () => this.#running.get(upload) === request;
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      moved();
      if (isCurrent()) this.#change(upload, { progress: total > 0 ? loaded / total : 0 });
    });
    request.upload.addEventListener('load', () => isCurrent() && this.#change(upload, { state: 'saving', progress: 1 }));
    request.addEventListener('loadend', () => {
      clearTimeout(stall);
      if (!isCurrent()) return;
      this.#running.delete(upload);
      this.#conclude(upload, request);
      this.#next();
    });
    request.open('POST', '/image');
    this.#running.set(upload, request);
    this.#change(upload, { state: 'sending', progress: 0 });
    moved();
    request.send(formOf(upload));
  }

  /**
   * @param {Upload} upload
   * @param {XMLHttpRequest} request
   */
  #conclude(upload, request) {
    const { status } = request;
    if (status === 200 || status === 201) {
      this.#change(upload, { state: 'saved', record: parse(request.responseText) });
    } else if (status === 0) {
      void this.#unreachable(upload);
    } else if (status === 503 || status === 429) {
      const seconds = Number(request.getResponseHeader('Retry-After'));
      this.#pause(upload, seconds > 0 ? Math.min(seconds, 30) * 1_000 : FIRST_PAUSE_MS, reasonOf(request));
    } else {
      this.#change(upload, { state: 'failed', reason: reasonOf(request), retryable: status >= 500 });
    }
  }

  /**
   * The request did not get through. That is the connection, or the file: it may have been moved, or be a folder.
   * @param {Upload} upload
   */
  async #unreachable(upload) {
    this.#paused.set(upload, 0);
    const readable = await upload.file.slice(0, 1).arrayBuffer().then(() => true, () => false);
    if (!this.#paused.has(upload)) return;
    if (readable) {
      const pause = FIRST_PAUSE_MS * 2 ** (this.#attempts.get(upload) ?? 0);
      this.#pause(upload, pause, 'The server could not be reached.');
    } else {
      this.#paused.delete(upload);
      this.#change(upload, { state: 'failed', reason: 'This file cannot be read.', retryable: false });
    }
  }

  /**
   * Tries again by itself after a while, a few times; then a person decides.
   * @param {Upload} upload
   * @param {number} pause In milliseconds.
   * @param {string} reason
   */
  #pause(upload, pause, reason) {
    const attempts = (this.#attempts.get(upload) ?? 0) + 1;
    this.#attempts.set(upload, attempts);
    if (attempts >= ATTEMPTS) {
      this.#paused.delete(upload);
      this.#unreached.add(upload);
      this.#change(upload, { state: 'failed', reason, retryable: true });
      return;
    }
    const again = () => {
      this.#paused.delete(upload);
      this.#enqueue(upload);
    };
    this.#paused.set(upload, window.setTimeout(again, pause));
    this.#change(upload, { state: 'paused', reason, retryable: true });
  }

  /**
   * @param {Upload} upload
   * @param {Partial<Pick<Upload, 'state' | 'progress' | 'reason' | 'retryable' | 'record' | 'twin'>>} change
   */
  #change(upload, change) {
    Object.assign(upload, change);
    this.#onChange(upload);
  }
}

/** @param {Upload} upload */
function formOf({ id, file, place }) {
  const form = new FormData();
  form.append('id', id);
  form.append('fileName', file.name);
  form.append('type', file.type);
  if (personName()) form.append('author', personName());
  if (place) {
    for (const key of /** @type {const} */ (['x', 'y', 'w'])) form.append(key, String(place[key]));
  }
  form.append('file', file);
  return form;
}

/**
 * What the server says about its refusal (RFC 9457), as a sentence.
 * @param {XMLHttpRequest} request
 */
function reasonOf(request) {
  const { detail, title } = parse(request.responseText) ?? {};
  const text = String(detail || title || request.statusText || `The server answered ${request.status}`).trim();
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/**
 * @param {string} text
 * @returns {any} Null for what is not JSON.
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
