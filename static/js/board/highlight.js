// @ts-check
// Shows the user an image on the board: moves the view there, and highlights the image for a moment.

/** @typedef {import('./board.js').Board} Board */
/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('../feed/images.js').Images} Images */

/** An image shown smaller than this, in pixels, is zoomed to. */
const SMALL_PX = 96;
const SHOWN_MS = 2_400;
/** The tile is added at the end of the camera's animation. */
const TIMEOUT_MS = 2_000;

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
  if (Math.max(box.w, box.h) * camera.scale < SMALL_PX) camera.fit(box);
  else camera.reveal(box);
  const end = performance.now() + TIMEOUT_MS;
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
