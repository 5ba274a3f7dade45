// @ts-check
// Shows how the connection is: a quiet dot with a word, and a bar only when something is wrong for more than a moment.

import { announce } from '../ui/announce.js';

/** @typedef {import('./feed.js').FeedState} FeedState */

/** @type {Record<FeedState, string>} */
const WORDS = {
  connecting: 'Connecting…',
  initializing: 'Loading…',
  ready: 'Live',
  interrupted: 'Interrupted',
  lost: 'Offline',
};

/** @type {Partial<Record<FeedState, string>>} */
const TROUBLE = {
  interrupted: 'The server has lost its database. Photos may be out of date. Reconnecting…',
  lost: 'Connection lost. Reconnecting…',
};

const BACK = 'Reconnected';
/** A server that restarts quickly is not worth a bar. */
const PATIENCE_MS = 600;
const BACK_SHOWN_MS = 3_000;

export class Connection {
  #label;
  #bar;
  #text;
  #retry;
  #people = 0;
  /** @type {FeedState} */
  #state = 'connecting';
  #timer = 0;
  /** Whether a trouble has been told that is not over. */
  #told = false;

  /**
   * @param {object} elements
   * @param {HTMLElement} elements.label
   * @param {HTMLElement} elements.bar
   * @param {() => void} onRetry
   */
  constructor({ label, bar }, onRetry) {
    this.#label = label;
    this.#bar = bar;
    this.#text = /** @type {HTMLElement} */ (bar.querySelector('[data-text]'));
    this.#retry = /** @type {HTMLElement} */ (bar.querySelector('button'));
    this.#retry.addEventListener('click', onRetry);
    this.#write();
  }

  /** @param {FeedState} state */
  show(state) {
    this.#state = state;
    this.#write();
    const trouble = TROUBLE[state];
    if (trouble && this.#told) {
      this.#tell(trouble);
    } else if (trouble) {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#tell(TROUBLE[this.#state]), PATIENCE_MS);
    } else if (state === 'ready') {
      clearTimeout(this.#timer);
      if (this.#told) this.#tellBack();
    }
  }

  /** @param {number} count How many look, this page included. */
  showPeople(count) {
    this.#people = count;
    this.#write();
  }

  #write() {
    const together = this.#state === 'ready' && this.#people > 1;
    const part = (/** @type {string} */ className, /** @type {string} */ textContent) =>
      Object.assign(document.createElement('span'), { className, textContent });
    const parts = [part('connection-word', WORDS[this.#state])];
    if (together) parts.push(part('connection-word', ' · '), part('connection-people', `${this.#people} here`));
    this.#label.dataset.state = this.#state;
    /** @type {HTMLElement} */ (this.#label.querySelector('[data-text]')).replaceChildren(...parts);
  }

  /** @param {string | undefined} text */
  #tell(text) {
    if (text === undefined) return;
    if (!this.#told || this.#text.textContent !== text) announce(text);
    this.#told = true;
    this.#text.textContent = text;
    this.#retry.hidden = this.#state !== 'lost';
    this.#bar.dataset.mood = 'trouble';
    this.#bar.hidden = false;
  }

  #tellBack() {
    this.#told = false;
    announce(BACK);
    this.#text.textContent = BACK;
    this.#retry.hidden = true;
    this.#bar.dataset.mood = 'back';
    this.#timer = window.setTimeout(() => (this.#bar.hidden = true), BACK_SHOWN_MS);
  }
}
