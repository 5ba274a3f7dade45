// @ts-check
// The other pages of this board in the same browser that are alive. Web Locks would tell too, but exist only in secure contexts.

import { uuidv7 } from './uuid.js';

const CHANNEL = 'realtime-photo';
/** Pages in the background answer too; a frozen one does not, and sends nothing either. */
const ANSWER_MS = 2_000;

export class Pages {
  /** The id of this page. */
  id = uuidv7();
  /** @type {Set<string>} */
  #alive = new Set([this.id]);
  /** @type {BroadcastChannel | null} */
  #channel = null;

  constructor() {
    try {
      this.#channel = new BroadcastChannel(CHANNEL);
    } catch {
      return;
    }
    this.#channel.addEventListener('message', ({ data: { from, asks } }) => {
      this.#alive.add(from);
      if (asks) this.#channel?.postMessage({ from: this.id, asks: false });
    });
  }

  /**
   * Asks which pages are alive. A page that starts meanwhile counts, since it asks too.
   * @returns {Promise<ReadonlySet<string>>} Their ids, with that of this page.
   */
  async alive() {
    this.#alive = new Set([this.id]);
    this.#channel?.postMessage({ from: this.id, asks: true });
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    return this.#alive;
  }
}
