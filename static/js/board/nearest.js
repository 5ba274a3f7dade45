// @ts-check
// The neighbour of an image in a direction, for the arrow keys. Pure functions.

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {[dx: number, dy: number]} Direction Of length 1, along an axis. */

/** The weight of a gap beside the direction, relative to a distance along it: an image in the same row or column wins. */
const ASIDE = 3;
/** The most by which the middles of two images in the same row or column differ. */
const OFFSET = 0.4;

/**
 * The nearest box in a direction; undefined if there is none.
 * @template {{ id: string, box: Box }} Item
 * @param {Item} from
 * @param {Iterable<Item>} items
 * @param {Direction} direction
 * @returns {Item | undefined}
 */
export function nearestIn(from, items, direction) {
  /** @type {Item | undefined} */
  let nearest;
  let least = Infinity;
  for (const item of items) {
    const distance = distanceTo(from, item, direction);
    if (distance >= least) continue;
    least = distance;
    nearest = item;
  }
  return nearest;
}

/**
 * The box whose middle is nearest to a point.
 * @template {{ box: Box }} Item
 * @param {import('../feed/types.js').Point} point
 * @param {Item[]} items
 * @returns {Item | undefined}
 */
export function nearestTo(point, items) {
  const distance = (/** @type {Item} */ { box }) => Math.hypot(box.x + box.w / 2 - point.x, box.y + box.h / 2 - point.y);
  return items.reduce((/** @type {Item | undefined} */ best, item) => (best && distance(best) <= distance(item) ? best : item), undefined);
}

/**
 * @param {{ id: string, box: Box }} from
 * @param {{ id: string, box: Box }} to
 * @param {Direction} direction
 * @returns {number} Infinite if `to` does not lie in that direction.
 */
function distanceTo(from, to, [dx, dy]) {
  const [a, b] = [from.box, to.box];
  const x = b.x + b.w / 2 - a.x - a.w / 2;
  const y = b.y + b.h / 2 - a.y - a.h / 2;
  // Those in exactly the same place lie behind each other in the order in which they were added.
  const along = x * dx + y * dy || (x === 0 && y === 0 && (to.id > from.id) === dx + dy > 0 ? Number.MIN_VALUE : 0);
  if (from.id === to.id || along <= 0) return Infinity;
  const gap = dx !== 0 ? gapBetween(a.y, a.h, b.y, b.h) : gapBetween(a.x, a.w, b.x, b.w);
  return along + ASIDE * gap + OFFSET * Math.abs(x * dy + y * dx);
}

/**
 * @param {number} a
 * @param {number} aLength
 * @param {number} b
 * @param {number} bLength
 */
function gapBetween(a, aLength, b, bLength) {
  return Math.max(0, b - a - aLength, a - b - bLength);
}
