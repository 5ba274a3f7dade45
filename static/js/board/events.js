// @ts-check
// What the others do, in one quiet line that is never more than one: more of the same is added to it.

const GATHER_MS = 600;
const SHOWN_MS = 5_000;

/** @typedef {'added' | 'restored'} Deed */

export class BoardEvents {
  #element;
  /** @type {Deed} */
  #deed = 'added';
  /** @type {{ name: string, author?: string }[]} */
  #images = [];
  #writeTimer = 0;
  #endTimer = 0;

  /** @param {HTMLElement} element A live region. */
  constructor(element) {
    this.#element = element;
  }

  /**
   * @param {Deed} deed
   * @param {{ fileName: string, author?: string }} record
   */
  tell(deed, { fileName, author }) {
    if (deed !== this.#deed) this.#images = [];
    this.#deed = deed;
    this.#images.push({ name: fileName, author: deed === 'added' ? author : undefined });
    this.#writeTimer ||= window.setTimeout(() => this.#write(), GATHER_MS);
  }

  #write() {
    this.#writeTimer = 0;
    const text = wordsFor(this.#deed, this.#images);
    this.#element.replaceChildren(Object.assign(document.createElement('span'), { textContent: text }));
    clearTimeout(this.#endTimer);
    this.#endTimer = window.setTimeout(() => {
      this.#images = [];
      this.#element.replaceChildren();
    }, SHOWN_MS);
  }
}

/**
 * @param {Deed} deed
 * @param {{ name: string, author?: string }[]} images
 */
function wordsFor(deed, images) {
  const what = images.length === 1 ? images[0].name : `${images.length} photos`;
  return `${peopleIn(images)} ${deed === 'added' ? 'added' : 'restored'} ${what}`;
}

/** @param {{ author?: string }[]} images */
function peopleIn(images) {
  const authors = [...new Set(images.map(({ author }) => author))];
  const names = authors.filter((author) => author !== undefined);
  if (names.length === 0) return 'Someone';
  if (names.length === 2 && authors.length === 2) return `${names[0]} and ${names[1]}`;
  return authors.length === 1 ? names[0] : `${names[0]} and others`;
}
