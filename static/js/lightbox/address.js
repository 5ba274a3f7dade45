// @ts-check
// The address of the lightbox: `#image=ID`. It can be shared, and Back closes the lightbox.

const PATTERN = /^#image=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The image that the address names, or none. @returns {string} */
export function imageInAddress() {
  return PATTERN.exec(location.hash)?.[1] ?? '';
}

/** @param {string} id */
export function addressOf(id) {
  return `${location.origin}${location.pathname}#image=${id}`;
}

export class Address {
  /** True if the history entry before this one is the page without the lightbox. Also after a reload. */
  #pushed = history.state?.lightbox === true;
  /** The image to show once the browser has gone back. @type {string | null} */
  #waiting = null;
  #returning = false;
  #onGo;

  /** @param {(id: string) => void} onGo Called when the user changes the address; with an empty id for the page without the lightbox. */
  constructor(onGo) {
    this.#onGo = onGo;
    addEventListener('popstate', () => this.#arrived());
  }

  /**
   * @param {string} id
   * @returns {boolean} False while the browser is going back; then `onGo` follows.
   */
  show(id) {
    if (this.#returning) {
      this.#waiting = id;
      return false;
    }
    if (imageInAddress() === id) return true;
    if (imageInAddress()) {
      history.replaceState(history.state, '', `#image=${id}`);
    } else {
      history.pushState({ ...history.state, lightbox: true }, '', `#image=${id}`);
      this.#pushed = true;
    }
    return true;
  }

  leave() {
    if (!imageInAddress()) return;
    if (this.#pushed) {
      this.#returning = true;
      history.back();
    } else {
      history.replaceState({ ...history.state, lightbox: undefined }, '', location.pathname + location.search);
    }
    this.#pushed = false;
  }

  #arrived() {
    this.#returning = false;
    this.#pushed = history.state?.lightbox === true;
    const waiting = this.#waiting;
    this.#waiting = null;
    this.#onGo(waiting ?? imageInAddress());
  }
}
