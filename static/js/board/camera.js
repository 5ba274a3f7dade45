// @ts-check
// The camera: the point of the board in the top left corner of the view, and a scale.

import { keyFor } from '../ui/site.js';

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').Point} Point */

const SMALLEST = 0.01;
const LARGEST = 4;
const GLIDE_MS = 260;

/** The space that the controls cover, in pixels. */
const MARGIN = { top: 76, right: 28, bottom: 96, left: 28 };

export class Camera {
  x = 0;
  y = 0;
  scale = 1;
  /** The size of the view in pixels. */
  width = 1;
  height = 1;
  /** True if the user has moved the view. Until then the page moves it to show new images. */
  chosen = false;

  #onChange;
  #glide = 0;

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /**
   * Puts the origin of the board in the middle of the view.
   * @param {number} width
   * @param {number} height
   */
  start(width, height) {
    this.width = width;
    this.height = height;
    this.#apply({ x: -width / 2, y: -height / 2, scale: 1 });
  }

  /**
   * Resizes the view around its middle.
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    this.x += (this.width - width) / 2 / this.scale;
    this.y += (this.height - height) / 2 / this.scale;
    this.width = width;
    this.height = height;
    this.#onChange();
  }

  /**
   * Converts a point from pixels of the view to board units.
   * @param {Point} point
   * @returns {Point}
   */
  toBoard({ x, y }) {
    return { x: this.x + x / this.scale, y: this.y + y / this.scale };
  }

  /** The middle of the area that the controls leave free, in board units. */
  get middle() {
    return this.toBoard({
      x: (MARGIN.left + this.width - MARGIN.right) / 2,
      y: (MARGIN.top + this.height - MARGIN.bottom) / 2,
    });
  }

  /** The part of the board in view. @returns {Box} */
  get view() {
    return { x: this.x, y: this.y, w: this.width / this.scale, h: this.height / this.scale };
  }

  /**
   * @param {number} dx In pixels; positive moves the view to the right.
   * @param {number} dy
   */
  pan(dx, dy) {
    this.show({ x: this.x + dx / this.scale, y: this.y + dy / this.scale, scale: this.scale });
  }

  /**
   * Zooms around a point.
   * @param {number} factor
   * @param {Point} [point] In pixels of the view; the middle by default.
   */
  zoom(factor, point = { x: this.width / 2, y: this.height / 2 }) {
    this.show(this.#zoomed(factor, point));
  }

  /**
   * Zooms around the middle of the view, animated.
   * @param {number} factor
   */
  zoomSmoothly(factor) {
    this.glideTo(this.#zoomed(factor, { x: this.width / 2, y: this.height / 2 }));
  }

  /**
   * Shows the whole box at a scale of at most 1.
   * @param {Box} box
   * @param {{ glide?: boolean }} [options]
   */
  fit(box, { glide = true } = {}) {
    const { w, h } = this.free;
    const scale = Math.max(SMALLEST, Math.min(w / Math.max(box.w, 1), h / Math.max(box.h, 1), 1));
    const target = {
      x: box.x + box.w / 2 - (MARGIN.left + w / 2) / scale,
      y: box.y + box.h / 2 - (MARGIN.top + h / 2) / scale,
      scale,
    };
    if (glide) this.glideTo(target);
    else this.show(target);
  }

  /** The size of the area between the controls, in pixels. */
  get free() {
    return { w: this.width - MARGIN.left - MARGIN.right, h: this.height - MARGIN.top - MARGIN.bottom };
  }

  /**
   * Pans by the least distance that shows the box between the controls.
   * @param {Box} box
   */
  reveal(box) {
    const dx = nearest(box.x - this.x, box.w, MARGIN.left / this.scale, (this.width - MARGIN.right) / this.scale);
    const dy = nearest(box.y - this.y, box.h, MARGIN.top / this.scale, (this.height - MARGIN.bottom) / this.scale);
    if (dx !== 0 || dy !== 0) this.glideTo({ x: this.x + dx, y: this.y + dy, scale: this.scale });
  }

  /**
   * True if the whole box is visible between the controls.
   * @param {Box} box
   */
  sees(box) {
    const dx = nearest(box.x - this.x, box.w, MARGIN.left / this.scale, (this.width - MARGIN.right) / this.scale);
    const dy = nearest(box.y - this.y, box.h, MARGIN.top / this.scale, (this.height - MARGIN.bottom) / this.scale);
    return dx === 0 && dy === 0;
  }

  /** @param {{ x: number, y: number, scale: number }} target */
  glideTo(target) {
    cancelAnimationFrame(this.#glide);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.show(target);
      return;
    }
    const from = { x: this.x, y: this.y, scale: this.scale };
    const began = performance.now();
    const step = (/** @type {number} */ now) => {
      const time = Math.min(1, Math.max(0, (now - began) / GLIDE_MS));
      const part = 1 - (1 - time) ** 3;
      this.#apply(between(from, target, part, this.width, this.height));
      if (time < 1) this.#glide = requestAnimationFrame(step);
    };
    this.#glide = requestAnimationFrame(step);
  }

  /**
   * @param {number} factor
   * @param {Point} point
   */
  #zoomed(factor, point) {
    const scale = Math.min(LARGEST, Math.max(SMALLEST, this.scale * factor));
    const { x, y } = this.toBoard(point);
    return { x: x - point.x / scale, y: y - point.y / scale, scale };
  }

  /**
   * Moves the view without animation.
   * @param {{ x: number, y: number, scale: number }} target
   */
  show(target) {
    cancelAnimationFrame(this.#glide);
    this.#apply(target);
  }

  /** @param {{ x: number, y: number, scale: number }} target */
  #apply({ x, y, scale }) {
    this.x = x;
    this.y = y;
    this.scale = scale;
    this.#onChange();
  }
}

/** Null if the browser blocks storage. */
function storage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

/**
 * Restores the view after a reload, and saves it when the page is left. Each tab has its own.
 * @param {Camera} camera
 */
export function rememberView(camera) {
  const key = keyFor('view');
  addEventListener('pagehide', () => {
    const { x, y, scale, chosen } = camera;
    if (chosen) storage()?.setItem(key, [x, y, scale].join(' '));
  });
  const [x, y, scale] = (storage()?.getItem(key) ?? '').split(' ').map(Number);
  if (!(scale >= SMALLEST && scale <= LARGEST && Number.isFinite(x) && Number.isFinite(y))) return;
  camera.chosen = true;
  camera.show({ x, y, scale });
}

/**
 * A step of an animation: the scale changes by equal factors, and the middle moves in a straight line on the screen.
 * @param {{ x: number, y: number, scale: number }} from
 * @param {{ x: number, y: number, scale: number }} to
 * @param {number} part 0 to 1.
 * @param {number} width
 * @param {number} height
 */
function between(from, to, part, width, height) {
  if (part === 1) return to;
  const scale = from.scale * (to.scale / from.scale) ** part;
  const along = from.scale === to.scale ? part : (1 / from.scale - 1 / scale) / (1 / from.scale - 1 / to.scale);
  const middle = (/** @type {'x' | 'y'} */ axis, /** @type {number} */ size) => {
    const start = from[axis] + size / 2 / from.scale;
    const end = to[axis] + size / 2 / to.scale;
    return start + (end - start) * along - size / 2 / scale;
  };
  return { x: middle('x', width), y: middle('y', height), scale };
}

/**
 * The distance to pan along one axis so that the range lies between the limits, or starts at the lower one if it is longer.
 * @param {number} start
 * @param {number} length
 * @param {number} low
 * @param {number} high
 */
function nearest(start, length, low, high) {
  if (start < low || length > high - low) return start - low;
  return Math.max(0, start + length - high);
}
