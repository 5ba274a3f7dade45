// @ts-check
// The bar that tells hosts how many photos wait for approval, and approves them all.

import { notice } from '../ui/notice.js';
import { find } from '../ui/page.js';
import { messageOf, request } from '../ui/api.js';
import { onBoard, pathOf } from '../ui/site.js';
import { isHost } from './access.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/** Approves one photo. @param {string} id */
export async function approve(id) {
  try {
    await request('POST', pathOf(`image/${id}/approve`));
  } catch (error) {
    notice(`The photo could not be approved. ${messageOf(error)}`);
  }
}

export class WaitingBar {
  /** @type {Set<string>} */
  #waiting = new Set();
  /** The photo that was revealed last. */
  #shown = '';
  #bar;
  #onShow;

  /**
   * @param {HTMLElement} bar
   * @param {{ onShow: (id: string) => void }} handlers
   */
  constructor(bar, { onShow }) {
    this.#bar = bar;
    this.#onShow = onShow;
    find(bar, '[data-show]').addEventListener('click', () => this.#showNext());
    find(bar, '[data-approve-all]').addEventListener('click', () => void this.#approveAll());
  }

  /** @param {ImageRecord} record A photo that was added or changed. */
  update({ id, waiting = false }) {
    if (waiting === this.#waiting.has(id)) return;
    if (waiting) this.#waiting.add(id);
    else this.#waiting.delete(id);
    this.write();
  }

  /** @param {string} id A photo that is gone. */
  remove(id) {
    if (this.#waiting.delete(id)) this.write();
  }

  write() {
    const { size } = this.#waiting;
    const hidden = size === 0 || !isHost();
    const focused = this.#bar.contains(document.activeElement);
    const words = Object.assign(document.createElement('span'), { className: 'line-word', textContent: size === 1 ? 'photo is ' : 'photos are ' });
    find(this.#bar, '[data-text]').replaceChildren(`${size} `, words, 'waiting');
    find(this.#bar, '[data-approve-all]').textContent = size === 1 ? 'Approve' : `Approve all (${size})`;
    this.#bar.hidden = hidden;
    if (hidden && focused) /** @type {HTMLElement | null} */ (document.querySelector('main:not([hidden])'))?.focus({ preventScroll: true });
  }

  #showNext() {
    const ids = [...this.#waiting].sort();
    this.#shown = ids.find((id) => id > this.#shown) ?? ids[0];
    this.#onShow(this.#shown);
  }

  async #approveAll() {
    const button = /** @type {HTMLButtonElement} */ (find(this.#bar, '[data-approve-all]'));
    button.disabled = true;
    try {
      await request('POST', onBoard('images/approve'));
    } catch (error) {
      notice(`The photos could not be approved. ${messageOf(error)}`);
    }
    button.disabled = false;
  }
}
