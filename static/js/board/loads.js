// @ts-check
// Loads the files of tiles in turn, those in view first. The browser would load them in the order in which they were requested,
// also those that the view has left meanwhile.

/** The number of files at a time. A browser has six connections, and hardly more are needed to keep them busy. */
const AT_ONCE = 12;
/** While the records of the board arrive, the files must not take the line from them. */
const AT_ONCE_AT_FIRST = 2;

export class Loads {
  #limit = AT_ONCE_AT_FIRST;
  #running = 0;
  /** @type {{ isInView: () => boolean, start: () => void }[]} */
  #waiting = [];

  /** The records are there. */
  speedUp() {
    this.#limit = AT_ONCE;
    this.#startNext();
  }

  /**
   * Waits for a turn. Call the function that this resolves with when the file is loaded, or no longer wanted.
   * @param {() => boolean} isInView
   * @returns {Promise<() => void>}
   */
  async enter(isInView) {
    await new Promise((resolve) => {
      this.#waiting.push({ isInView, start: () => resolve(null) });
      this.#startNext();
    });
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#running -= 1;
      this.#startNext();
    };
  }

  #startNext() {
    while (this.#running < this.#limit && this.#waiting.length > 0) {
      const at = Math.max(0, this.#waiting.findIndex(({ isInView }) => isInView()));
      const [next] = this.#waiting.splice(at, 1);
      this.#running += 1;
      next.start();
    }
  }
}
