// @ts-check
// Shows who else is moving a photo: a flag with the name at the photo, one for each name and one for all who have none.

import { personName } from '../ui/person.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../board/board.js').Board} Board */

/** Who moves a photo without having given a name. */
const NAMELESS = 'Someone';
/** The time after the last change for which the flag stays. */
const SHOWN_MS = 1_000;
/** The time after the last change of its photo in which the flag does not go to another: those of a selection change in turn. */
const STAYS_MS = 1_500;

export class Movers {
  /** By name. `movedAt`: the time at which its photo has last moved, in ms. @type {Map<string, { element: HTMLElement, timer: number, movedAt: number }>} */
  #flags = new Map();
  #board;
  #colourOf;

  /**
   * @param {Board} board
   * @param {(name: string) => string | undefined} colourOf
   */
  constructor(board, colourOf) {
    this.#board = board;
    this.#colourOf = colourOf;
  }

  /**
   * @param {ImageRecord} record A changed image.
   * @param {ImageRecord} before
   * @param {boolean} mayBeOwn This page may have changed it.
   */
  changed(record, before, mayBeOwn) {
    const { movedBy } = record;
    const isOwn = movedBy === personName() && (mayBeOwn || movedBy !== '');
    const name = movedBy || NAMELESS;
    const isSame = record.x === before.x && record.y === before.y && record.w === before.w;
    const tile = this.#board.tile(record.id);
    // The server also moves photos, which it does not sign.
    if (movedBy === undefined || isOwn || isSame || !tile) return;
    const flag = this.#flags.get(name) ?? { element: flagOf(name), timer: 0, movedAt: 0 };
    const { element } = flag;
    clearTimeout(flag.timer);
    flag.timer = window.setTimeout(() => this.#remove(name), SHOWN_MS);
    this.#flags.set(name, flag);
    const stays = element.isConnected && performance.now() < flag.movedAt + STAYS_MS;
    if (stays && element.parentElement !== tile.element) return;
    flag.movedAt = performance.now();
    element.style.setProperty('--colour', this.#colourOf(name) ?? 'var(--accent)');
    if (element.parentElement !== tile.element) {
      detach(element);
      tile.element.append(element);
    }
    tile.element.classList.add('is-moved');
  }

  /** @param {string} name */
  #remove(name) {
    const flag = this.#flags.get(name);
    this.#flags.delete(name);
    if (flag) detach(flag.element);
  }
}

/** @param {HTMLElement} flag */
function detach(flag) {
  const tile = flag.parentElement;
  flag.remove();
  if (!tile?.querySelector('.mover')) tile?.classList.remove('is-moved');
}

/** @param {string} name */
function flagOf(name) {
  const flag = Object.assign(document.createElement('span'), { className: 'mover', textContent: name });
  flag.setAttribute('aria-hidden', 'true');
  return flag;
}
