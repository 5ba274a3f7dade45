// @ts-check
// Shows the state of the connection: a dot with a word, and a bar if an interruption lasts.

import { announce } from '../ui/announce.js';

/** @typedef {import('./feed.js').FeedState} FeedState */

/** @type {Record<FeedState, string>} */
const WORDS = {
  connecting: 'Connecting…',
  initializing: 'Loading…',
  ready: 'Live',
  interrupted: 'Reconnecting…',
  lost: 'Offline',
};

/** @type {Partial<Record<FeedState, string>>} */
const TROUBLE = {
  interrupted: 'The server has lost its database. Photos may be out of date. Reconnecting…',
  lost: 'Connection lost. Reconnecting…',
};

const RECONNECTED = 'Reconnected';
/** A shorter interruption shows no bar. */
const BAR_DELAY_MS = 600;
const RECONNECTED_SHOWN_MS = 3_000;

export class Connection {
  #label;
  #bar;
  #text;
  #retry;
  #people = 0;
  /** @type {FeedState} */
  #state = 'connecting';
  #timer = 0;
  /** True if the bar shows an interruption. */
  #isBarShown = false;

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
    if (trouble && this.#isBarShown) {
      this.#showTrouble(trouble);
    } else if (trouble) {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#showTrouble(TROUBLE[this.#state]), BAR_DELAY_MS);
    } else if (state === 'ready') {
      clearTimeout(this.#timer);
      if (this.#isBarShown) this.#showReconnected();
    }
  }

  /** @param {number} count Connected viewers, this page included. */
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
  #showTrouble(text) {
    if (text === undefined) return;
    if (!this.#isBarShown || this.#text.textContent !== text) announce(text);
    this.#isBarShown = true;
    this.#text.textContent = text;
    this.#retry.hidden = this.#state !== 'lost';
    this.#bar.dataset.mood = 'trouble';
    this.#bar.hidden = false;
  }

  #showReconnected() {
    this.#isBarShown = false;
    announce(RECONNECTED);
    this.#text.textContent = RECONNECTED;
    this.#retry.hidden = true;
    this.#bar.dataset.mood = 'back';
    this.#timer = window.setTimeout(() => (this.#bar.hidden = true), RECONNECTED_SHOWN_MS);
  }
}
