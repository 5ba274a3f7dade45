// @ts-check
// Reports what other viewers do in a single line. Events of the same kind are merged.

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
   * @param {{ fileName: string, author?: string }} record
   */
  add(kind, { fileName, author }) {
    if (kind !== this.#kind) this.#images = [];
    this.#kind = kind;
    this.#images.push({ name: fileName, author: kind === 'added' ? author : undefined });
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
  return `${peopleIn(images)} ${kind === 'added' ? 'added' : 'restored'} ${what}`;
}

/** @param {{ author?: string }[]} images */
function peopleIn(images) {
  const authors = [...new Set(images.map(({ author }) => author))];
  const names = authors.filter((author) => author !== undefined);
  if (names.length === 0) return 'Someone';
  if (names.length === 2 && authors.length === 2) return `${names[0]} and ${names[1]}`;
  return authors.length === 1 ? names[0] : `${names[0]} and others`;
}
