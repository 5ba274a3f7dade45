// @ts-check
// Uploads as a list of lines: how far each is, or why it was refused.

import { announce } from '../ui/announce.js';

/** @typedef {import('./item.js').Upload} Upload */
/** @typedef {import('./upload-queue.js').UploadQueue} UploadQueue */
/** @typedef {import('./item.js').UploadState} UploadState */

/** @type {Record<UploadState, (upload: Upload) => string>} */
export const WORDS = {
  checking: () => 'Waiting',
  converting: () => 'Converting',
  duplicate: ({ fileName, twin }) => `${twin?.there ? 'Already on the board' : 'Already being added'}${alias(fileName, twin)}.`,
  waiting: () => 'Waiting',
  sending: ({ progress }) => `${Math.round(progress * 100)} %`,
  saving: () => 'Saving',
  paused: () => 'Retrying soon',
  saved: () => 'Saved',
  failed: ({ reason }) => reason,
};

/** So long a finished line can still be read. */
const SAVED_SHOWN_MS = 1_500;

export class UploadList {
  /** @type {Map<Upload, HTMLElement>} */
  #lines = new Map();
  #list;
  #template;
  #uploads;

  /**
   * @param {HTMLElement} list
   * @param {HTMLTemplateElement} template
   * @param {UploadQueue} uploads
   */
  constructor(list, template, uploads) {
    this.#list = list;
    this.#template = template;
    this.#uploads = uploads;
  }

  /** @param {Upload} upload */
  add(upload) {
    const fragment = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const line = /** @type {HTMLElement} */ (fragment.firstElementChild);
    this.#lines.set(upload, line);
    find(line, '[data-retry]').addEventListener('click', () => this.#uploads.retry(upload));
    find(line, '[data-shrink]').addEventListener('click', () => void this.#uploads.shrink(upload));
    find(line, '[data-cancel]').addEventListener('click', () => {
      this.#uploads.cancel(upload);
      this.#remove(upload);
    });
    this.#list.append(line);
  }

  /** @param {Upload} upload It has changed. */
  write(upload) {
    const line = this.#lines.get(upload);
    if (line) writeUpload(line, upload);
    if (upload.state === 'saved') setTimeout(() => this.#remove(upload), SAVED_SHOWN_MS);
  }

  /** @param {Upload} upload */
  #remove(upload) {
    this.#lines.get(upload)?.remove();
    this.#lines.delete(upload);
  }
}

/**
 * Writes what any view of an upload shows: its state, the words for it, and which buttons make sense.
 * @param {HTMLElement} element
 * @param {Upload} upload
 */
export function writeUpload(element, upload) {
  const failedNow = upload.state === 'failed' && element.dataset.state !== 'failed';
  const duplicateNow = upload.state === 'duplicate' && element.dataset.state !== 'duplicate';
  element.dataset.state = upload.state;
  find(element, '[data-name]').textContent = upload.fileName;
  find(element, '[data-words]').textContent = WORDS[upload.state](upload);
  const [retry, shrink, cancel] = ['retry', 'shrink', 'cancel'].map((name) => find(element, `[data-${name}]`));
  retry.hidden = upload.state !== 'failed' || !upload.retryable;
  shrink.hidden = upload.state !== 'failed' || !upload.canShrink;
  shrink.setAttribute('aria-label', `Shrink and add ${upload.fileName}`);
  cancel.hidden = upload.state === 'saved' || upload.state === 'saving';
  retry.setAttribute('aria-label', `Try ${upload.fileName} again`);
  cancel.textContent = ['failed', 'duplicate'].includes(upload.state) ? 'Dismiss' : 'Cancel';
  cancel.setAttribute('aria-label', `${cancel.textContent} ${upload.fileName}`);
  const progress = element.querySelector('progress');
  if (progress) progress.value = upload.progress;
  if (duplicateNow) announce(`${upload.fileName}: ${WORDS.duplicate(upload)}`);
  if (failedNow) announce(`${upload.fileName} could not be added. ${upload.reason}`, 'assertive');
}

/**
 * @param {string} fileName
 * @param {import('./item.js').Twin | null} twin
 */
function alias(fileName, twin) {
  return twin && twin.fileName !== fileName ? ` as “${twin.fileName}”` : '';
}

/**
 * @param {Element} element
 * @param {string} selector
 */
export function find(element, selector) {
  return /** @type {HTMLElement} */ (element.querySelector(selector));
}
