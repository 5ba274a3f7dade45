// @ts-check
// What was deleted just now, in one calm line with an Undo that stays for ten seconds. The time stands still while somebody
// points at it, has the focus in it, or looks at another tab.

const SHOWN_MS = 10_000;

export class UndoToast {
  /** What it speaks of, by id. @type {Map<string, { name: string, mine: boolean }>} */
  #gone = new Map();
  #element;
  #text;
  #onUndo;
  #onLeave;
  #timer = 0;
  #left = SHOWN_MS;
  #since = 0;
  /** Why the time stands still. @type {Set<string>} */
  #paused = new Set();

  /**
   * @param {HTMLElement} element
   * @param {object} handlers
   * @param {(ids: string[]) => void} handlers.onUndo
   * @param {(ids: string[]) => void} handlers.onLeave It goes while it has the focus.
   */
  constructor(element, { onUndo, onLeave }) {
    this.#element = element;
    this.#text = /** @type {HTMLElement} */ (element.querySelector('[data-text]'));
    this.#onUndo = onUndo;
    this.#onLeave = onLeave;
    /** @type {HTMLElement} */ (element.querySelector('[data-undo]')).addEventListener('click', () => this.#undo());
    /** @type {HTMLElement} */ (element.querySelector('[data-dismiss]')).addEventListener('click', () => this.#hide());
    element.addEventListener('pointerenter', () => this.#pause('pointed at', true));
    element.addEventListener('pointerleave', () => this.#pause('pointed at', false));
    element.addEventListener('focusin', () => this.#pause('in focus', true));
    element.addEventListener('focusout', () => this.#pause('in focus', false));
    document.addEventListener('visibilitychange', () => this.#pause('away', document.hidden));
    if (document.hidden) this.#paused.add('away');
  }

  /** What it offers to bring back. @returns {string[]} */
  get ids() {
    return [...this.#gone.keys()];
  }

  /**
   * @param {import('../feed/types.js').ImageRecord} record
   * @param {boolean} mine Deleted here.
   */
  add(record, mine) {
    this.#gone.set(record.id, { name: record.fileName, mine });
    this.#write();
    this.#left = SHOWN_MS;
    this.#run();
  }

  /** @param {string} id It is back. */
  forget(id) {
    if (!this.#gone.delete(id)) return;
    if (this.#gone.size > 0) this.#write();
    else this.#hide(id);
  }

  #undo() {
    const { ids } = this;
    this.#hide(...ids);
    this.#onUndo(ids);
  }

  /** @param {string[]} ids What was brought back. */
  #hide(...ids) {
    clearTimeout(this.#timer);
    const hadFocus = this.#element.contains(document.activeElement);
    this.#gone.clear();
    this.#element.hidden = true;
    this.#paused.delete('pointed at');
    this.#paused.delete('in focus');
    if (hadFocus) this.#onLeave(ids);
  }

  #write() {
    this.#text.textContent = wordsFor([...this.#gone.values()]);
    this.#element.hidden = false;
  }

  /**
   * @param {string} why
   * @param {boolean} on
   */
  #pause(why, on) {
    if (this.#gone.size === 0 && why !== 'away') return;
    if (this.#paused.size === 0) this.#left -= performance.now() - this.#since;
    if (on) this.#paused.add(why);
    else this.#paused.delete(why);
    this.#run();
  }

  #run() {
    clearTimeout(this.#timer);
    this.#since = performance.now();
    if (this.#paused.size === 0 && this.#gone.size > 0) this.#timer = window.setTimeout(() => this.#hide(), Math.max(this.#left, 1_000));
  }
}

/** @param {{ name: string, mine: boolean }[]} gone */
export function wordsFor(gone) {
  const what = gone.length === 1 ? gone[0].name : `${gone.length} photos`;
  if (gone.every(({ mine }) => mine)) return `You deleted ${what}`;
  if (gone.some(({ mine }) => mine)) return `${what} were deleted`;
  return `Someone deleted ${what}`;
}
