// Touch input of several fingers, as a touch screen reports it.

import { expect } from '@playwright/test';

/** Options of a phone, which shows the board instead of the album. */
export const PHONE = { path: '/#board', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

/** Longer than the 100 ms after which Chromium no longer takes a movement for a fling. */
const REST_MS = 120;

/** @typedef {[x: number, y: number]} Point */

export class Touch {
  #page;
  #session;

  static async on(window) {
    return new Touch(window.page, await window.context.newCDPSession(window.page));
  }

  constructor(page, session) {
    this.#page = page;
    this.#session = session;
  }

  /** Reports all fingers that touch the screen now. @param {'Start' | 'Move' | 'End'} type @param {Point[]} points */
  send(type, ...points) {
    const touchPoints = points.map(([x, y], id) => ({ x, y, id }));
    return this.#session.send('Input.dispatchTouchEvent', { type: `touch${type}`, touchPoints });
  }

  /**
   * Taps once, fast enough not to be a long press on a busy machine too: both events are queued at once.
   * @param {Point} point
   */
  async tap(point) {
    await Promise.all([this.send('Start', point), this.send('End')]);
  }

  /**
   * Taps twice, fast enough for a double tap on a busy machine too: all events are queued at once.
   * @param {Point} point
   */
  async doubleTap(point) {
    await Promise.all([this.send('Start', point), this.send('End'), this.send('Start', point), this.send('End')]);
  }

  /** Drags one finger. @param {Point} from @param {Point} to */
  async drag([x, y], [toX, toY], steps = 5) {
    await this.send('Start', [x, y]);
    for (let step = 1; step <= steps; step += 1) {
      await this.send('Move', [x + ((toX - x) * step) / steps, y + ((toY - y) * step) / steps]);
    }
    // After a fling Chromium would take the next tap for one that stops it.
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    await this.send('Move', [toX, toY]);
    await this.send('End');
  }

  /** Rests one finger until that is a long press. @param {Point} point */
  async hold(point) {
    await this.send('Start', point);
    await this.#untilHeld();
    await this.send('End');
  }

  /** Rests one finger until that is a long press, and then drags it. @param {Point} from @param {Point} to */
  async holdAndDrag([x, y], [toX, toY], steps = 5) {
    await this.send('Start', [x, y]);
    await this.#untilHeld();
    for (let step = 1; step <= steps; step += 1) {
      await this.send('Move', [x + ((toX - x) * step) / steps, y + ((toY - y) * step) / steps]);
    }
    await this.send('End');
  }

  async #untilHeld() {
    await expect(this.#page.locator('.is-busy')).toHaveCount(1);
  }

  /** Moves two fingers around a point from one distance to another. @param {Point} middle */
  async pinch([x, y], from, to, steps = 5) {
    /** @returns {Point[]} */
    const points = (distance) => [[x - distance / 2, y], [x + distance / 2, y]];
    await this.send('Start', ...points(from));
    for (let step = 1; step <= steps; step += 1) await this.send('Move', ...points(from + ((to - from) * step) / steps));
    await this.send('End');
  }
}
