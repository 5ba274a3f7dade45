// @ts-check
// The order of the show. New images come next, first in, first out. Between them a round goes from the newest image to the
// oldest and begins again; it continues where it was, so a busy board shows its oldest images too. Previous goes back
// through what was shown.

import { position } from '../feed/images.js';

/** The number of shown images to which Previous can return. */
const LONGEST_PAST = 100;

export class Sequence {
  #images;
  /** Ids that are new and have not been shown, in the order in which they arrived. @type {string[]} */
  #fresh = [];
  /** Ids that were shown, in order. @type {string[]} */
  #past = [];
  /** The index of the current image in `#past`. */
  #at = -1;
  /** The last image of the round; empty before the first. */
  #turn = '';

  /** @param {{ readonly ids: readonly string[] }} images Oldest first. */
  constructor(images) {
    this.#images = images;
  }

  /** Starts over, with the newest image. */
  begin() {
    this.#fresh = [];
    this.#past = [];
    this.#at = -1;
    this.#turn = '';
  }

  /** @param {string} id A new image. */
  add(id) {
    if (!this.#fresh.includes(id)) this.#fresh.push(id);
  }

  /** @param {string} id A deleted image. */
  remove(id) {
    this.#fresh = this.#fresh.filter((each) => each !== id);
    this.#at -= this.#past.slice(0, this.#at + 1).filter((each) => each === id).length;
    this.#past = this.#past.filter((each) => each !== id);
  }

  /**
   * The image that follows the current one; empty if there is no other.
   * @param {1 | -1} step Forward or back.
   */
  peek(step) {
    const passed = this.#past[this.#at + step];
    if (passed) return passed;
    return step === 1 ? (this.#fresh[0] ?? this.#beside(this.#turn, -1)) : this.#beside(this.#current, 1);
  }

  /**
   * Makes `id`, which `peek` returned, the current image.
   * @param {string} id
   * @param {1 | -1} step
   */
  move(id, step) {
    const passed = this.#past[this.#at + step] === id;
    if (passed) {
      this.#at += step;
    } else if (step === -1) {
      this.#past.unshift(id);
      this.#past.splice(LONGEST_PAST);
      this.#at = 0;
    } else {
      this.#take(id);
      this.#past.push(id);
      if (this.#past.length > LONGEST_PAST) this.#past.shift();
      this.#at = this.#past.length - 1;
    }
  }

  /**
   * Passes over `id`, which `peek` returned but cannot be shown.
   * @param {string} id
   * @param {1 | -1} step
   */
  skip(id, step) {
    if (step === 1 && this.#past[this.#at + 1] !== id) this.#take(id);
    this.remove(id);
  }

  get #current() {
    return this.#past[this.#at] ?? '';
  }

  /** @param {string} id */
  #take(id) {
    if (this.#fresh[0] === id) this.#fresh.shift();
    else this.#turn = id;
  }

  /**
   * The next older or newer image, cyclic, but not the current one. Starts with the newest.
   * @param {string} id Perhaps deleted.
   * @param {1 | -1} direction 1 is newer.
   */
  #beside(id, direction) {
    const { ids } = this.#images;
    if (ids.length === 0) return '';
    let at = id ? position(ids, id) : ids.length;
    if (direction === 1 && ids[at] !== id) at -= 1;
    for (let tries = 0; tries < 2; tries += 1) {
      at = (at + direction + ids.length) % ids.length;
      if (ids[at] !== this.#current) return ids[at];
    }
    return '';
  }
}
