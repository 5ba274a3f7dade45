// @ts-check
// The overview of the photos: a small map while something lies outside the view, and a button that goes back to them
// while none is in view.

import { boundsOf, boxOf, contains, overlaps } from './geometry.js';

/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('./camera.js').Camera} Camera */

/** The time for which the map stays after the view has come to rest. */
const SHOWN_MS = 1_600;
/** The space around what the map shows, in pixels, and the smallest side of a photo on it. */
const PADDING = 8;
const SMALLEST_PX = 1.5;

export class BoardMap {
  #canvas;
  #button;
  #camera;
  #images;
  #timer = 0;
  #isDragged = false;
  /** From board units to pixels of the map. */
  #at = { x: 0, y: 0, scale: 1 };
  /** The boxes of the photos in this version of the images. @type {{ version: number, boxes: Box[], bounds: Box | null }} */
  #photos = { version: -1, boxes: [], bounds: null };
  /** The photos as they were last painted: thousands of them would take longer than a frame. */
  #painting = { canvas: document.createElement('canvas'), key: '' };

  /**
   * @param {{ canvas: HTMLCanvasElement, button: HTMLElement }} elements
   * @param {{ camera: Camera, images: Images }} parts
   * @param {() => void} onBack
   */
  constructor({ canvas, button }, { camera, images }, onBack) {
    this.#canvas = canvas;
    this.#button = button;
    this.#camera = camera;
    this.#images = images;
    button.addEventListener('click', onBack);
    canvas.addEventListener('pointerdown', (event) => {
      this.#isDragged = true;
      canvas.setPointerCapture(event.pointerId);
      this.#goTo(event);
    });
    canvas.addEventListener('pointermove', (event) => this.#isDragged && this.#goTo(event));
    for (const type of ['pointerup', 'pointercancel']) canvas.addEventListener(type, () => (this.#isDragged = false));
  }

  /** The board has been drawn. @param {boolean} moved Whether the view has moved, which shows the map. */
  draw(moved) {
    const { view } = this.#camera;
    const { version } = this.#images;
    if (version !== this.#photos.version) {
      const all = [...this.#images.values()].map(boxOf);
      this.#photos = { version, boxes: all, bounds: boundsOf(all) };
    }
    const { boxes, bounds } = this.#photos;
    this.#showButton(bounds !== null && !boxes.some((box) => overlaps(box, view)));
    if (!bounds || contains(view, bounds)) this.#hide();
    else if (moved) this.#show();
    if (bounds && this.#canvas.classList.contains('is-shown')) this.#paint(boxes, bounds, view);
  }

  #show() {
    this.#canvas.classList.add('is-shown');
    clearTimeout(this.#timer);
    const end = () => {
      if (this.#isDragged || this.#canvas.matches(':hover')) this.#show();
      else this.#hide();
    };
    this.#timer = window.setTimeout(end, SHOWN_MS);
  }

  #hide() {
    clearTimeout(this.#timer);
    if (!this.#isDragged) this.#canvas.classList.remove('is-shown');
  }

  /** @param {boolean} shown */
  #showButton(shown) {
    if (this.#button.hidden === !shown) return;
    if (!shown && this.#button === document.activeElement) this.#button.blur();
    this.#button.hidden = !shown;
  }

  /**
   * @param {Box[]} boxes
   * @param {Box} bounds
   * @param {Box} view
   */
  #paint(boxes, bounds, view) {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const context = this.#canvas.getContext('2d');
    if (width === 0 || !context) return;
    this.#resize(width, height);
    // While it is dragged the map keeps still under the pointer.
    if (!this.#isDragged) this.#at = fitted(/** @type {Box} */ (boundsOf([bounds, view])), width, height);
    const { x, y, scale } = this.#at;
    const style = getComputedStyle(this.#canvas);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.drawImage(this.#paintedPhotos(boxes, style.color), 0, 0);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.strokeStyle = style.accentColor;
    context.lineWidth = 2;
    context.beginPath();
    context.roundRect((view.x - x) * scale, (view.y - y) * scale, view.w * scale, view.h * scale, 2);
    context.stroke();
  }

  /**
   * A canvas of the size of the map with the photos.
   * @param {Box[]} boxes
   * @param {string} colour
   */
  #paintedPhotos(boxes, colour) {
    const { canvas } = this.#painting;
    const { x, y, scale } = this.#at;
    const { width, height } = this.#canvas;
    const key = [this.#photos.version, x, y, scale, width, height, colour].join();
    if (key === this.#painting.key) return canvas;
    this.#painting.key = key;
    Object.assign(canvas, { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.scale(devicePixelRatio, devicePixelRatio);
    context.fillStyle = colour;
    for (const box of boxes) {
      context.fillRect((box.x - x) * scale, (box.y - y) * scale, Math.max(SMALLEST_PX, box.w * scale), Math.max(SMALLEST_PX, box.h * scale));
    }
    return canvas;
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #resize(width, height) {
    const [w, h] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (this.#canvas.width !== w) this.#canvas.width = w;
    if (this.#canvas.height !== h) this.#canvas.height = h;
  }

  /** Moves the middle of the view to a point of the map. @param {PointerEvent} event */
  #goTo({ offsetX, offsetY }) {
    const { view, scale } = this.#camera;
    const [x, y] = [this.#at.x + offsetX / this.#at.scale, this.#at.y + offsetY / this.#at.scale];
    this.#camera.chosen = true;
    this.#camera.show({ x: x - view.w / 2, y: y - view.h / 2, scale });
  }
}

/**
 * The transformation that shows a box in the middle of the map.
 * @param {Box} box
 * @param {number} width
 * @param {number} height
 */
function fitted(box, width, height) {
  const scale = Math.min((width - 2 * PADDING) / box.w, (height - 2 * PADDING) / box.h);
  return { x: box.x - (width / scale - box.w) / 2, y: box.y - (height / scale - box.h) / 2, scale };
}
