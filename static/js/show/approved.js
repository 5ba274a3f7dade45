// @ts-check
// The photos that the show may show: those that do not wait for approval.

/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

export class Approved {
  #images;

  /** @param {Images} images */
  constructor(images) {
    this.#images = images;
  }

  /** The ids, oldest first. @returns {readonly string[]} */
  get ids() {
    return this.#images.ids.filter((id) => this.get(id));
  }

  get isEmpty() {
    return !this.#images.ids.some((id) => this.get(id));
  }

  /** @param {string} id @returns {ImageRecord | undefined} */
  get(id) {
    const record = this.#images.get(id);
    return record?.waiting ? undefined : record;
  }
}
