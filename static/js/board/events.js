// @ts-check
// Reports what other viewers do in a single line. Events of the same kind are merged.

import { nameOf, peopleIn } from '../ui/text.js';

const GATHER_MS = 600;
const SHOWN_MS = 5_000;

/** @typedef {'added' | 'restored'} EventKind */

export class BoardEvents {
  #element;
  /** @type {EventKind} */
  #kind = 'added';
  /** @type {{ name: string, author?: string }[]} */
  #images = [];
  #writeTimer = 0;
  #endTimer = 0;

  /** @param {HTMLElement} element A live region. */
  constructor(element) {
    this.#element = element;
  }

  /**
   * @param {EventKind} kind
   * @param {import('../feed/types.js').ImageRecord} record
   */
  add(kind, record) {
    if (kind !== this.#kind) this.#images = [];
    this.#kind = kind;
    this.#images.push({ name: nameOf(record), author: kind === 'added' ? record.author : record.restoredBy });
    this.#writeTimer ||= window.setTimeout(() => this.#write(), GATHER_MS);
  }

  #write() {
    this.#writeTimer = 0;
    const text = wordsFor(this.#kind, this.#images);
    this.#element.replaceChildren(Object.assign(document.createElement('span'), { textContent: text }));
    clearTimeout(this.#endTimer);
    this.#endTimer = window.setTimeout(() => {
      this.#images = [];
      this.#element.replaceChildren();
    }, SHOWN_MS);
  }
}

/**
 * @param {EventKind} kind
 * @param {{ name: string, author?: string }[]} images
 */
function wordsFor(kind, images) {
  const what = images.length === 1 ? images[0].name : `${images.length} photos`;
  return `${peopleIn(images.map(({ author }) => author))} ${kind === 'added' ? 'added' : 'restored'} ${what}`;
}
