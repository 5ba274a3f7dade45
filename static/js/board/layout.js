// @ts-check
// The placement of new images, in board units. Pure functions.

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').Point} Point */

/** The longest side of a single new image. */
const SIDE = 240;
const ROW_HEIGHT = 200;
/** Leaves space for the name below each image. */
const GAP = 32;

/**
 * The initial size of a single image.
 * @param {number} aspect Width divided by height.
 */
function single(aspect) {
  return aspect >= 1 ? { w: SIDE, h: SIDE / aspect } : { w: SIDE * aspect, h: SIDE };
}

/**
 * Places one image centred on the point, or several in rows of one height, the first image centred on the point.
 * @param {number[]} aspects Width divided by height, of each image.
 * @param {Point} point
 * @returns {Box[]}
 */
export function boxesFrom(aspects, point) {
  const clamped = aspects.map((aspect) => Math.min(4, Math.max(0.25, aspect)));
  if (clamped.length === 1) {
    const { w, h } = single(clamped[0]);
    return [{ x: point.x - w / 2, y: point.y - h / 2, w, h }];
  }
  const longest = longestRow(clamped);
  const left = point.x - (clamped[0] * ROW_HEIGHT) / 2;
  let [x, y] = [0, point.y - ROW_HEIGHT / 2];
  return clamped.map((aspect) => {
    const w = aspect * ROW_HEIGHT;
    if (x > 0 && x + w > longest) {
      x = 0;
      y += ROW_HEIGHT + GAP;
    }
    const box = { x: left + x, y, w, h: ROW_HEIGHT };
    x += w + GAP;
    return box;
  });
}

/**
 * The width of the rows: at least three images, and a block that is wider than high.
 * @param {number[]} aspects
 */
function longestRow(aspects) {
  const widths = aspects.map((aspect) => aspect * ROW_HEIGHT + GAP);
  const all = widths.reduce((sum, width) => sum + width, 0);
  const few = widths.slice(0, 3).reduce((sum, width) => sum + width, 0);
  return Math.max(Math.sqrt(all * (ROW_HEIGHT + GAP) * 1.8), few);
}

/**
 * Like `boxesFrom`, but with the whole block centred on the point: for files that were chosen or pasted.
 * @param {number[]} aspects
 * @param {Point} point
 * @returns {Box[]}
 */
export function boxesAround(aspects, point) {
  const boxes = boxesFrom(aspects, point);
  const left = Math.min(...boxes.map(({ x }) => x));
  const top = Math.min(...boxes.map(({ y }) => y));
  const right = Math.max(...boxes.map(({ x, w }) => x + w));
  const bottom = Math.max(...boxes.map(({ y, h }) => y + h));
  const [dx, dy] = [point.x - (left + right) / 2, point.y - (top + bottom) / 2];
  return boxes.map(({ x, y, w, h }) => ({ x: x + dx, y: y + dy, w, h }));
}
