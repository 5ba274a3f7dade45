// @ts-check
// Which images are selected. One's own affair: the others do not see it.

export class Selection {
  /** @type {Set<string>} */
  #ids = new Set();
  #onChange;

  /** @param {(changed: string[]) => void} onChange With the ids that have come into it or left it. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  get size() {
    return this.#ids.size;
  }

  /** @returns {string[]} */
  get ids() {
    return [...this.#ids];
  }

  /** @param {string} id */
  has(id) {
    return this.#ids.has(id);
  }

  /**
   * What is meant when something is done to a image: all of the selection if it belongs to it, and otherwise it alone.
   * @param {string} id
   */
  with(id) {
    return this.#ids.has(id) ? this.ids : [id];
  }

  /**
   * Selects these and nothing else.
   * @param {Iterable<string>} ids
   */
  set(ids) {
    const next = new Set(ids);
    const changed = [...next].filter((id) => !this.#ids.has(id)).concat(this.ids.filter((id) => !next.has(id)));
    this.#ids = next;
    if (changed.length > 0) this.#onChange(changed);
  }

  /** @param {string} id */
  add(id) {
    this.set([...this.#ids, id]);
  }

  /** @param {string} id */
  toggle(id) {
    this.set(this.#ids.has(id) ? this.ids.filter((other) => other !== id) : [...this.#ids, id]);
  }

  clear() {
    this.set([]);
  }

  /** @param {string} id An image that is gone. */
  forget(id) {
    if (this.#ids.delete(id)) this.#onChange([id]);
  }
}
