// @ts-check
// From files in a person's hand to uploads and their places on the board.

import { lookAt } from './files.js';
import { boundsOf } from './images.js';
import { placesAround, placesFrom } from './layout.js';
import { Upload } from './upload.js';

/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('./pending.js').Pending} Pending */
/** @typedef {import('./types.js').Point} Point */
/** @typedef {import('./upload.js').Uploads} Uploads */

/**
 * Each file's preview appears in its place at once, and is uploaded.
 * @param {{ camera: Camera, uploads: Uploads, pending: Pending }} parts
 * @param {File[]} files
 * @param {Point | null} point Where on the page they were dropped; otherwise they come into the middle of the view.
 */
export async function addFiles({ camera, uploads, pending }, files, point) {
  camera.chosen = true;
  const target = point ? camera.toBoard(point) : camera.middle;
  const looks = await Promise.all(files.map(lookAt));
  const aspects = looks.map((look) => look?.aspect ?? 1);
  const boxes = point ? placesFrom(aspects, target) : placesAround(aspects, target);
  const all = files.map((file, at) => new Upload(file, placeOf(boxes[at])));
  all.forEach((upload, at) => pending.add(upload, boxes[at], looks[at]?.url ?? null));
  all.forEach((upload) => uploads.add(upload));
  const bounds = boundsOf(boxes);
  if (bounds && !point && !camera.sees(bounds)) camera.fit(bounds);
}

/**
 * @param {import('./types.js').Box} box
 * @returns {import('./upload.js').Place}
 */
function placeOf({ x, y, w }) {
  const round = (/** @type {number} */ value) => Math.round(value * 10) / 10;
  return { x: round(x), y: round(y), w: round(w) };
}

/**
 * Shows that files held over the board can be dropped, and where they would go.
 * @param {HTMLElement} surface
 * @param {{ point: Point, count: number } | null} hover
 */
export function showHover(surface, hover) {
  surface.classList.toggle('is-hovered', hover !== null);
  const target = document.getElementById('target');
  const text = document.getElementById('target-text');
  if (!hover || !target || !text) return;
  target.style.transform = `translate(${hover.point.x}px, ${hover.point.y}px)`;
  text.textContent = hover.count > 1 ? `Drop ${hover.count} here` : 'Drop here';
}
