// @ts-check
// The selected images. Local to this page.

export class Selection {
  /** @type {Set<string>} */
  #ids = new Set();
  #onChange;

  /** @param {(changed: string[]) => void} onChange Called with the added and removed ids. */
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
   * The ids that an action on an image applies to: the whole selection if the image is selected, otherwise the image alone.
   * @param {string} id
   */
  with(id) {
    return this.#ids.has(id) ? this.ids : [id];
  }

  /**
   * Replaces the selection.
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

  /** @param {string} id A deleted image. */
  remove(id) {
    if (this.#ids.delete(id)) this.#onChange([id]);
  }
}
