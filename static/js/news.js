// @ts-check
// What the others do, in one quiet line that is never more than one: more of the same is added to it.

const GATHER_MS = 600;
const SHOWN_MS = 5_000;

/** @typedef {'added' | 'restored'} Deed */

export class News {
  #element;
  /** @type {Deed} */
  #deed = 'added';
  /** @type {{ name: string, author?: string }[]} */
  #pictures = [];
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
    if (deed !== this.#deed) this.#pictures = [];
    this.#deed = deed;
    this.#pictures.push({ name: fileName, author: deed === 'added' ? author : undefined });
    this.#writeTimer ||= window.setTimeout(() => this.#write(), GATHER_MS);
  }

  #write() {
    this.#writeTimer = 0;
    const text = wordsFor(this.#deed, this.#pictures);
    this.#element.replaceChildren(Object.assign(document.createElement('span'), { textContent: text }));
    clearTimeout(this.#endTimer);
    this.#endTimer = window.setTimeout(() => {
      this.#pictures = [];
      this.#element.replaceChildren();
    }, SHOWN_MS);
  }
}

/**
 * @param {Deed} deed
 * @param {{ name: string, author?: string }[]} pictures
 */
function wordsFor(deed, pictures) {
  const what = pictures.length === 1 ? pictures[0].name : `${pictures.length} pictures`;
  return `${peopleIn(pictures)} ${deed === 'added' ? 'added' : 'brought back'} ${what}`;
}

/** @param {{ author?: string }[]} pictures */
function peopleIn(pictures) {
  const authors = [...new Set(pictures.map(({ author }) => author))];
  const names = authors.filter((author) => author !== undefined);
  if (names.length === 0) return 'Somebody';
  if (names.length === 2 && authors.length === 2) return `${names[0]} and ${names[1]}`;
  return authors.length === 1 ? names[0] : `${names[0]} and others`;
}
