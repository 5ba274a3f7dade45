// @ts-check
// Shows a person where a image is: the board goes there, and the image stands out for a moment.

/** @typedef {import('./board.js').Board} Board */
/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('../feed/images.js').Images} Images */

/** Shown smaller than this, in pixels, it could be overlooked. */
const PLAIN_PX = 96;
const SHOWN_MS = 2_400;
/** The board glides there, and then draws it. */
const PATIENCE_MS = 2_000;

/**
 * @param {{ board: Board, camera: Camera, images: Images }} parts
 * @param {string} id
 * @returns {boolean} False if it is not on the board.
 */
export function highlight({ board, camera, images }, id) {
  const record = images.get(id);
  if (!record) return false;
  const box = board.boxOf(record);
  camera.chosen = true;
  if (Math.max(box.w, box.h) * camera.scale < PLAIN_PX) camera.fit(box);
  else camera.reveal(box);
  const end = performance.now() + PATIENCE_MS;
  const attempt = () => {
    const tile = board.tile(id);
    if (tile) mark(tile);
    else if (performance.now() < end) requestAnimationFrame(attempt);
  };
  attempt();
  return true;
}

/** @param {import('./tile.js').Tile} tile */
function mark({ element, frame }) {
  element.classList.add('is-highlighted');
  frame.focus({ preventScroll: true });
  setTimeout(() => element.classList.remove('is-highlighted'), SHOWN_MS);
}
