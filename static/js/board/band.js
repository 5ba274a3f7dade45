// @ts-check
// The rubber band: selects every image that the rectangle drawn on the board touches.

import { boxBetween, boxOf, touches } from './geometry.js';

/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('./navigate.js').Gesture} Gesture */
/** @typedef {import('./selection.js').Selection} Selection */
/** @typedef {import('../feed/types.js').Box} Box */

/**
 * Starts a gesture that selects by a rubber band.
 * @param {HTMLElement} element Shows the band.
 * @param {{ camera: Camera, images: Images, selection: Selection }} parts
 * @param {PointerEvent} event
 * @returns {Gesture}
 */
export function banding(element, { camera, images, selection }, event) {
  const from = camera.toBoard({ x: event.clientX, y: event.clientY });
  const before = selection.ids;
  const stop = () => (element.hidden = true);
  return {
    move({ clientX, clientY }) {
      const box = boxBetween(from, camera.toBoard({ x: clientX, y: clientY }));
      draw(element, camera, box);
      const hit = [...images.values()].filter((record) => touches(box, boxOf(record))).map(({ id }) => id);
      selection.set([...before, ...hit]);
    },
    end: stop,
    cancel() {
      stop();
      selection.set(before);
    },
  };
}

/**
 * @param {HTMLElement} element
 * @param {Camera} camera
 * @param {Box} box
 */
function draw(element, camera, { x, y, w, h }) {
  element.hidden = false;
  element.style.transform = `translate(${(x - camera.x) * camera.scale}px, ${(y - camera.y) * camera.scale}px)`;
  element.style.width = `${w * camera.scale}px`;
  element.style.height = `${h * camera.scale}px`;
}
