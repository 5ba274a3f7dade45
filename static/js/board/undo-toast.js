// @ts-check
// The toast that names what was just deleted and offers Undo for ten seconds. The time stops while the toast is hovered or
// focused, or the page hidden.

import { mayChange } from '../access/access.js';
import { nameOf, peopleIn } from '../ui/text.js';

/**
 * A deleted image. `by`: the name of the person who deleted it, if known; `owner`: of the record.
 * @typedef {{ name: string, mine: boolean, by?: string, owner?: string }} Gone
 */

const SHOWN_MS = 10_000;

export class UndoToast {
  /** The deleted images, by id. @type {Map<string, Gone>} */
  #deleted = new Map();
  #element;
  #text;
  #onUndo;
  #onLeave;
  #timer = 0;
  #left = SHOWN_MS;
  #since = 0;
  /** Reasons why the time is stopped. @type {Set<string>} */
  #paused = new Set();

  /**
   * @param {HTMLElement} element
   * @param {object} handlers
   * @param {(ids: string[]) => void} handlers.onUndo
   * @param {() => void} handlers.onShowAll Opens the list of all deleted images.
   * @param {(ids: string[]) => void} handlers.onLeave The toast disappears while focused; `ids` are being restored.
   */
  constructor(element, { onUndo, onShowAll, onLeave }) {
    this.#element = element;
    this.#text = /** @type {HTMLElement} */ (element.querySelector('[data-text]'));
    this.#onUndo = onUndo;
    this.#onLeave = onLeave;
    /** @type {HTMLElement} */ (element.querySelector('[data-undo]')).addEventListener('click', () => this.#undo());
    /** @type {HTMLElement} */ (element.querySelector('[data-show-all]')).addEventListener('click', onShowAll);
    /** @type {HTMLElement} */ (element.querySelector('[data-dismiss]')).addEventListener('click', () => this.#hide());
    element.addEventListener('pointerenter', () => this.#pause('hovered', true));
    element.addEventListener('pointerleave', () => this.#pause('hovered', false));
    element.addEventListener('focusin', () => this.#pause('focused', true));
    element.addEventListener('focusout', () => this.#pause('focused', false));
    document.addEventListener('visibilitychange', () => this.#pause('hidden', document.hidden));
    if (document.hidden) this.#paused.add('hidden');
  }

  /** The images that it offers to restore. @returns {string[]} */
  get ids() {
    return [...this.#deleted].filter(([, gone]) => mayChange(gone)).map(([id]) => id);
  }

  /**
   * @param {import('../feed/types.js').ImageRecord} record
   * @param {boolean} mine Deleted by this page.
   * @param {string} [by]
   */
  add(record, mine, by) {
    this.#deleted.set(record.id, { name: nameOf(record), mine, by, owner: record.owner });
    this.#write();
    this.#left = SHOWN_MS;
    this.#run();
  }

  /** @param {string} id A restored image. */
  remove(id) {
    if (!this.#deleted.delete(id)) return;
    if (this.#deleted.size > 0) this.#write();
    else this.#hide(id);
  }

  #undo() {
    const { ids } = this;
    this.#hide(...ids);
    this.#onUndo(ids);
  }

  /** @param {string[]} ids Images that are being restored. */
  #hide(...ids) {
    clearTimeout(this.#timer);
    const hadFocus = this.#element.contains(document.activeElement);
    this.#deleted.clear();
    this.#element.hidden = true;
    this.#paused.delete('hovered');
    this.#paused.delete('focused');
    if (hadFocus) this.#onLeave(ids);
  }

  #write() {
    this.#text.textContent = wordsFor([...this.#deleted.values()]);
    for (const name of ['undo', 'show-all']) {
      /** @type {HTMLElement} */ (this.#element.querySelector(`[data-${name}]`)).hidden = this.ids.length === 0;
    }
    this.#element.hidden = false;
  }

  /**
   * @param {string} why
   * @param {boolean} on
   */
  #pause(why, on) {
    if (this.#deleted.size === 0 && why !== 'hidden') return;
    if (this.#paused.size === 0) this.#left -= performance.now() - this.#since;
    if (on) this.#paused.add(why);
    else this.#paused.delete(why);
    this.#run();
  }

  #run() {
    clearTimeout(this.#timer);
    this.#since = performance.now();
    if (this.#paused.size === 0 && this.#deleted.size > 0) this.#timer = window.setTimeout(() => this.#hide(), Math.max(this.#left, 1_000));
  }
}

/** @param {Gone[]} gone */
export function wordsFor(gone) {
  const what = gone.length === 1 ? gone[0].name : `${gone.length} photos`;
  if (gone.every(({ mine }) => mine)) return `You deleted ${what}`;
  if (gone.some(({ mine }) => mine)) return `${what} were deleted`;
  return `${peopleIn(gone.map(({ by }) => by))} deleted ${what}`;
}
