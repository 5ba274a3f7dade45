// @ts-check
// The list of uploads: a line for each with its state, its reason, and what can be done.

import { announce } from '../ui/announce.js';
import { find } from '../ui/page.js';

/** @typedef {import('./item.js').Upload} Upload */
/** @typedef {import('./item.js').UploadState} UploadState */

/**
 * @typedef {object} UploadActions
 * @property {(upload: Upload) => void} retry
 * @property {(upload: Upload) => void} shrink
 * @property {(upload: Upload) => void} cancel
 * @property {(upload: Upload) => void} [show] Shows the original of a duplicate.
 * @property {(upload: Upload) => void} [anyway] Adds a duplicate.
 * @property {() => void} [stop] Adds no further files of those that were added together.
 */

/** @type {Record<UploadState, (upload: Upload) => string>} */
const WORDS = {
  checking: () => 'Waiting',
  converting: () => 'Converting',
  duplicate: ({ fileName, twin }) => `${twin?.there ? 'Already on the board' : 'Already being added'}${alias(fileName, twin)}.`,
  waiting: () => 'Waiting',
  sending: ({ progress }) => `${Math.round(progress * 100)} %`,
  saving: () => 'Saving',
  paused: () => 'Retrying soon',
  offline: () => 'Waiting for the connection',
  saved: () => 'Saved',
  failed: ({ reason }) => reason,
};

/** The time for which a finished line is shown. */
const SAVED_SHOWN_MS = 1_500;

export class UploadList {
  /** @type {Map<Upload, HTMLElement>} */
  #lines = new Map();
  #list;
  #template;
  #actions;

  /**
   * @param {HTMLElement} list
   * @param {HTMLTemplateElement} template
   * @param {UploadActions} actions
   */
  constructor(list, template, actions) {
    this.#list = list;
    this.#template = template;
    this.#actions = actions;
  }

  /** @returns {Upload[]} */
  get uploads() {
    return [...this.#lines.keys()];
  }

  /** @param {Upload} upload */
  has(upload) {
    return this.#lines.has(upload);
  }

  /**
   * @param {Upload} upload
   * @param {string | null} [preview] The URL of a preview, which must stay valid.
   */
  add(upload, preview) {
    const fragment = /** @type {DocumentFragment} */ (this.#template.content.cloneNode(true));
    const line = /** @type {HTMLElement} */ (fragment.firstElementChild);
    if (preview) line.querySelector('[data-preview]')?.append(Object.assign(new Image(), { alt: '', loading: 'lazy', decoding: 'async', src: preview }));
    for (const name of /** @type {const} */ (['retry', 'shrink', 'cancel', 'show', 'anyway'])) {
      line.querySelector(`[data-${name}]`)?.addEventListener('click', () => this.#actions[name]?.(upload));
    }
    this.#lines.set(upload, line);
    this.#list.append(line);
    this.write(upload);
  }

  /** @param {Upload} upload A changed upload. */
  write(upload) {
    const line = this.#lines.get(upload);
    if (!line) return;
    writeLine(line, upload);
    if (upload.state !== 'saved') return;
    this.#foundTwins(upload.id);
    setTimeout(() => this.remove(upload), SAVED_SHOWN_MS);
  }

  /** @param {Upload} upload */
  remove(upload) {
    const line = this.#lines.get(upload);
    const next = line?.nextElementSibling ?? line?.previousElementSibling;
    if (line?.contains(document.activeElement)) /** @type {HTMLElement | null | undefined} */ (next?.querySelector('button:not([hidden])'))?.focus({ preventScroll: true });
    line?.remove();
    this.#lines.delete(upload);
  }

  /**
   * Updates the duplicates of an image that is now on the board.
   * @param {string} id
   */
  #foundTwins(id) {
    for (const upload of this.#lines.keys()) {
      if (upload.twin?.id !== id || upload.twin.there) continue;
      upload.twin.there = true;
      this.write(upload);
    }
  }
}

/**
 * Updates a line: its state, text and buttons.
 * @param {HTMLElement} line
 * @param {Upload} upload
 */
function writeLine(line, upload) {
  const { state, fileName } = upload;
  const [failed, duplicate] = [state === 'failed', state === 'duplicate'];
  const [failedNow, duplicateNow] = [failed && line.dataset.state !== 'failed', duplicate && line.dataset.state !== 'duplicate'];
  line.dataset.state = state;
  find(line, '[data-name]').textContent = fileName;
  find(line, '[data-words]').textContent = WORDS[state](upload);
  /** @type {[name: string, shown: boolean, label: string][]} */
  const buttons = [
    ['retry', failed && upload.retryable, `Try ${fileName} again`],
    ['shrink', failed && upload.canShrink, `Shrink and add ${fileName}`],
    ['show', duplicate, `Show it: ${upload.twin?.fileName}`],
    ['anyway', duplicate, `Add anyway: ${fileName}`],
    ['cancel', state !== 'saved' && state !== 'saving', `${failed || duplicate ? 'Dismiss' : 'Cancel'} ${fileName}`],
  ];
  for (const [name, shown, label] of buttons) {
    const button = /** @type {HTMLElement | null} */ (line.querySelector(`[data-${name}]`));
    if (!button) continue;
    button.hidden = !shown;
    button.setAttribute('aria-label', label);
  }
  find(line, '[data-cancel]').textContent = failed || duplicate ? 'Dismiss' : 'Cancel';
  const progress = line.querySelector('progress');
  if (progress) progress.value = upload.progress;
  if (duplicateNow) announce(`${fileName}: ${WORDS.duplicate(upload)}`);
  if (failedNow) announce(`${fileName} could not be added. ${upload.reason}`, 'assertive');
}

/**
 * @param {string} fileName
 * @param {import('./item.js').Twin | null} twin
 */
function alias(fileName, twin) {
  return twin && twin.fileName !== fileName ? ` as “${twin.fileName}”` : '';
}
