// @ts-check
// Zooming and panning in the lightbox and in the comparison, and swiping to the next image.

/** @typedef {import('../feed/types.js').Point} Point */

const LARGEST = 8;
const STEP = 1.5;
const THRESHOLD_PX = 6;
const SWIPE_PX = 60;
const DOUBLE_TAP_MS = 350;
const PAN_STEP_PX = 80;
/** The scale in a stage without any room. */
const SMALLEST = 0.001;

/** @type {Record<string, 'in' | 'out' | 'full' | 'fit'>} */
export const ZOOM_KEYS = { '+': 'in', '=': 'in', '-': 'out', 0: 'full', 1: 'fit' };
/** @type {Record<string, [number, number]>} */
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * A view that images of different sizes can share: the zoom, 1 if the whole image is visible, and the offset from the middle
 * of the stage to the middle of the image, in sides of the image.
 * @typedef {{ zoom: number, x: number, y: number }} View
 */

/**
 * @typedef {object} ZoomHandlers
 * @property {(step: 1 | -1) => void} [onSwipe] 1 for the next image, -1 for the previous one.
 * @property {(scale: number) => void} [onChange] Called with the scale: CSS pixels per pixel of the image.
 * @property {(view: View) => void} [onView] The user has zoomed or panned.
 */

export class Zoom {
  #stage;
  #content;
  #handlers;
  #size = { w: 1, h: 1 };
  #scale = 1;
  /** From the middle of the stage to the middle of the image, in pixels. */
  #offset = { x: 0, y: 0 };
  /** @type {Map<number, Point>} */
  #pointers = new Map();
  /** @type {Point | null} */
  #from = null;
  #swiped = 0;
  #dragged = false;
  #lastTap = 0;
  #byMouse = true;

  /**
   * @param {HTMLElement} stage
   * @param {HTMLElement} content
   * @param {ZoomHandlers} handlers
   */
  constructor(stage, content, handlers) {
    this.#stage = stage;
    this.#content = content;
    this.#handlers = handlers;
    stage.addEventListener('pointerdown', (event) => this.#press(event));
    stage.addEventListener('pointermove', (event) => this.#move(event));
    for (const type of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      stage.addEventListener(type, (event) => this.#release(event));
    }
    stage.addEventListener('dblclick', (event) => this.#byMouse && this.#toggle(this.#pointIn(event)));
    stage.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.#keep()).observe(stage);
  }

  /** True if the image is larger than the stage. */
  get isZoomed() {
    return this.#scale > this.#fitting() * 1.01;
  }

  /**
   * Fits an image of this size into the stage.
   * @param {number} w In pixels of the image.
   * @param {number} h
   */
  show(w, h) {
    this.#size = { w: Math.max(1, w), h: Math.max(1, h) };
    this.#content.classList.remove('is-gliding');
    this.#place(this.#fitting(), { x: 0, y: 0 });
  }

  /** Takes over the view of another image. @param {View} view */
  follow({ zoom, x, y }) {
    const scale = zoom * this.#fitting();
    this.#content.classList.remove('is-gliding');
    this.#place(scale, { x: x * this.#size.w * scale, y: y * this.#size.h * scale });
  }

  /** @param {'in' | 'out' | 'full' | 'fit'} how */
  act(how) {
    this.#content.classList.add('is-gliding');
    const scale = { in: this.#scale * STEP, out: this.#scale / STEP, full: 1, fit: this.#fitting() }[how];
    this.#zoomTo(scale, { x: 0, y: 0 });
  }

  /**
   * @param {number} dx Steps; positive moves the view to the right.
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#content.classList.add('is-gliding');
    const { x, y } = this.#offset;
    this.#set(this.#scale, { x: x - dx * PAN_STEP_PX, y: y - dy * PAN_STEP_PX });
  }

  /** The scale at which the whole image fits, at most 1. */
  #fitting() {
    const { clientWidth, clientHeight } = this.#stage;
    return Math.min(clientWidth / this.#size.w, clientHeight / this.#size.h, 1) || SMALLEST;
  }

  /** Adapts to a new size of the stage. */
  #keep() {
    const close = this.#content.dataset.zoomed === 'true';
    this.#place(close ? this.#scale : this.#fitting(), this.#offset);
  }

  /**
   * Zooms around a point.
   * @param {number} wanted
   * @param {Point} point From the middle of the stage.
   */
  #zoomTo(wanted, point) {
    const fitting = this.#fitting();
    const scale = Math.min(Math.max(wanted, fitting), Math.max(LARGEST, fitting));
    const factor = scale / this.#scale;
    const { x, y } = this.#offset;
    this.#set(scale, { x: point.x - (point.x - x) * factor, y: point.y - (point.y - y) * factor });
  }

  /**
   * @param {number} scale
   * @param {Point} offset
   */
  #set(scale, offset) {
    this.#place(scale, offset);
    const { w, h } = this.#size;
    const { x, y } = this.#offset;
    this.#handlers.onView?.({ zoom: this.#scale / this.#fitting(), x: x / (w * this.#scale), y: y / (h * this.#scale) });
  }

  /**
   * @param {number} scale
   * @param {Point} offset
   */
  #place(scale, { x, y }) {
    const { w, h } = this.#size;
    const { clientWidth, clientHeight } = this.#stage;
    const limit = (/** @type {number} */ value, /** @type {number} */ room) => Math.min(Math.max(value, -room), room);
    this.#scale = scale;
    this.#offset = {
      x: limit(x, Math.max(0, (w * scale - clientWidth) / 2)),
      y: limit(y, Math.max(0, (h * scale - clientHeight) / 2)),
    };
    const { style } = this.#content;
    style.width = `${w * this.#fitting()}px`;
    style.height = `${h * this.#fitting()}px`;
    this.#content.dataset.zoomed = String(this.isZoomed);
    this.#draw();
    this.#handlers.onChange?.(scale);
  }

  #draw() {
    const { x, y } = this.#offset;
    this.#content.style.transform = `translate(${x + this.#swiped}px, ${y}px) scale(${this.#scale / this.#fitting()})`;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    this.#byMouse = event.pointerType === 'mouse';
    this.#pointers.set(event.pointerId, this.#pointIn(event));
    this.#stage.setPointerCapture(event.pointerId);
    this.#from = this.#pointers.size === 1 ? this.#pointIn(event) : null;
    this.#swipe(0);
    this.#dragged = this.#pointers.size > 1;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const old = [...this.#pointers.values()];
    const now = this.#pointIn(event);
    this.#pointers.set(event.pointerId, now);
    this.#content.classList.remove('is-gliding');
    if (old.length >= 2) {
      const [a, b] = [spanOf(old), spanOf([...this.#pointers.values()])];
      this.#offset = { x: this.#offset.x + b.middle.x - a.middle.x, y: this.#offset.y + b.middle.y - a.middle.y };
      this.#zoomTo((this.#scale * b.distance) / a.distance, b.middle);
      return;
    }
    if (!this.#from) return;
    const [dx, dy] = [now.x - this.#from.x, now.y - this.#from.y];
    if (!this.#dragged && Math.hypot(dx, dy) < THRESHOLD_PX) return;
    this.#dragged = true;
    if (this.isZoomed) {
      this.#set(this.#scale, { x: this.#offset.x + now.x - before.x, y: this.#offset.y + now.y - before.y });
    } else if (this.#handlers.onSwipe && Math.abs(dx) > Math.abs(dy)) {
      this.#swipe(dx);
    }
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (!this.#pointers.delete(event.pointerId) || this.#pointers.size > 0) return;
    const swiped = this.#swiped;
    this.#content.classList.add('is-gliding');
    this.#swipe(0);
    this.#from = null;
    if (event.type === 'pointercancel') return;
    if (Math.abs(swiped) > SWIPE_PX) this.#handlers.onSwipe?.(swiped < 0 ? 1 : -1);
    else if (!this.#dragged && !this.#byMouse) this.#tap(event);
  }

  /** Detects double taps. Only a mouse sends `dblclick` in every browser. @param {PointerEvent} event */
  #tap(event) {
    const double = event.timeStamp - this.#lastTap < DOUBLE_TAP_MS;
    this.#lastTap = double ? 0 : event.timeStamp;
    if (double) this.#toggle(this.#pointIn(event));
  }

  /** @param {number} by */
  #swipe(by) {
    this.#swiped = by;
    this.#draw();
  }

  /**
   * Toggles between the whole image and actual size around a point.
   * @param {Point} point
   */
  #toggle(point) {
    this.#content.classList.add('is-gliding');
    const fitting = this.#fitting();
    this.#zoomTo(this.isZoomed ? fitting : Math.max(1, fitting * 2.5), point);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    this.#content.classList.remove('is-gliding');
    const unit = [1, 16, this.#stage.clientHeight][event.deltaMode];
    const delta = Math.max(-60, Math.min(60, event.deltaY * unit));
    this.#zoomTo(this.#scale * Math.exp(-delta * (event.ctrlKey ? 0.008 : 0.004)), this.#pointIn(event));
  }

  /**
   * The position of the pointer, relative to the middle of the stage.
   * @param {MouseEvent} event
   * @returns {Point}
   */
  #pointIn({ clientX, clientY }) {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }
}

/** @param {Point[]} points */
function spanOf([a, b]) {
  return {
    middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
    distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)),
  };
}
