// @ts-check
// Arranging images: justified rows, alignment, equal sizes and the order from back to front. Pure functions that return the
// new placements.

import { boundsOf, boxOf, overlaps, tileRatio } from './geometry.js';

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {{ id: string, x: number, y: number, w?: number, z?: number }} Place */

/** The height of a row that is not full, and the bounds of that of a full one, as on the server. */
const ROW_HEIGHT = 240;
const LOWEST_ROW = 120;
const TALLEST_ROW = 300;
const GAP = 16;
/** Names and captions stand between the rows. */
const ROW_GAP = 40;
/** The proportions of a screen. */
const SCREEN = 1.6;

/** @type {Record<string, (a: ImageRecord, b: ImageRecord) => number>} */
export const ORDERS = {
  time: (a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.id < b.id ? -1 : 1),
  name: (a, b) => a.fileName.localeCompare(b.fileName, undefined, { numeric: true }) || (a.id < b.id ? -1 : 1),
  person: (a, b) => (a.author ?? '\uffff').localeCompare(b.author ?? '\uffff') || ORDERS.time(a, b),
};

/**
 * Arranges images in justified rows from the top left corner of their present bounds, or below `others` if they would
 * cover one of those.
 * @param {ImageRecord[]} records In the order of the rows.
 * @param {ImageRecord[]} others The images that stay where they are.
 * @returns {Place[]}
 */
export function tidy(records, others) {
  const bounds = boundsOf(records.map(boxOf));
  if (!bounds) return [];
  const rows = rowsOf(records);
  const area = { ...bounds, w: Math.max(...rows.map(({ x, w }) => x + w)), h: Math.max(...rows.map(({ y, h }) => y + h)) };
  const rest = others.map(boxOf);
  const all = rest.some((box) => overlaps(box, area)) ? boundsOf([...rest, bounds]) : null;
  const [x, y] = all ? [all.x, all.y + all.h + ROW_GAP] : [bounds.x, bounds.y];
  const round = (/** @type {number} */ value) => Math.round(value * 100) / 100;
  return rows.map((box, at) => ({ id: records[at].id, x: round(x + box.x), y: round(y + box.y), w: Math.max(16, round(box.w)) }));
}

/**
 * @param {ImageRecord[]} records
 * @returns {Box[]} From the origin.
 */
function rowsOf(records) {
  const widths = records.map((record) => widthIn(record, ROW_HEIGHT) + GAP);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const width = Math.max(Math.sqrt(total * (ROW_HEIGHT + ROW_GAP) * SCREEN), ...widths);
  /** @type {Box[]} */
  const boxes = [];
  let y = 0;
  for (let start = 0; start < records.length; ) {
    const { end, height } = rowFrom(records, start, width);
    const row = records.slice(start, end).map((record) => ({ w: widthIn(record, height), h: heightIn(record, height) }));
    const band = Math.max(...row.map(({ h }) => h));
    let x = 0;
    for (const { w, h } of row) {
      boxes.push({ x, y: y + (band - h) / 2, w, h });
      x += w + GAP;
    }
    y += band + ROW_GAP;
    start = end;
  }
  return boxes;
}

/**
 * The end of the row that begins at `start`, and its height: with or without the image that exceeds the width, whichever
 * changes the height less.
 * @param {ImageRecord[]} records
 * @param {number} start
 * @param {number} width
 */
function rowFrom(records, start, width) {
  let end = start + 1;
  let used = widthIn(records[start], ROW_HEIGHT);
  while (end < records.length && used <= width) {
    used += GAP + widthIn(records[end], ROW_HEIGHT);
    end += 1;
  }
  if (used <= width) return { end, height: ROW_HEIGHT };
  const change = (/** @type {number} */ height) => Math.abs(Math.log(height / ROW_HEIGHT));
  const withLast = justified(records.slice(start, end), width);
  const without = end - start > 1 ? justified(records.slice(start, end - 1), width) : 0;
  const fits = (/** @type {number} */ height) => height >= LOWEST_ROW && height <= TALLEST_ROW;
  if (fits(without) && (!fits(withLast) || change(without) < change(withLast))) return { end: end - 1, height: without };
  if (fits(withLast) || end - start === 1) return { end, height: withLast };
  return { end: end - 1, height: ROW_HEIGHT };
}

/**
 * The height at which a row is as wide as `width`; infinite if it cannot be.
 * @param {ImageRecord[]} records
 * @param {number} width
 */
function justified(records, width) {
  const widthAt = (/** @type {number} */ height) => records.reduce((sum, record) => sum + widthIn(record, height), GAP * (records.length - 1));
  let [low, high] = [0, 2 * TALLEST_ROW];
  if (widthAt(high) < width) return Infinity;
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (widthAt(middle) > width) high = middle;
    else low = middle;
  }
  return low;
}

/**
 * The height of an image in a row, which is never enlarged.
 * @param {ImageRecord} record
 * @param {number} row
 */
function heightIn({ width, height }, row) {
  return Math.min(row, height, width * tileRatio(height / width));
}

/**
 * @param {ImageRecord} record
 * @param {number} row
 */
function widthIn(record, row) {
  return heightIn(record, row) / tileRatio(record.height / record.width);
}

/**
 * Aligns images at one edge of their bounds.
 * @param {ImageRecord[]} records
 * @param {string} edge `left`, `right`, `top` or `bottom`
 * @returns {Place[]}
 */
export function align(records, edge) {
  const bounds = boundsOf(records.map(boxOf));
  if (!bounds) return [];
  return records.map((record) => {
    const { x, y, w, h } = boxOf(record);
    const places = {
      left: { x: bounds.x, y },
      right: { x: bounds.x + bounds.w - w, y },
      top: { x, y: bounds.y },
      bottom: { x, y: bounds.y + bounds.h - h },
    };
    return { id: record.id, ...places[/** @type {keyof typeof places} */ (edge)] };
  });
}

/**
 * Gives all images the same area, that of the average.
 * @param {ImageRecord[]} records
 * @returns {Place[]}
 */
export function sameSize(records) {
  const areas = records.map(boxOf).map(({ w, h }) => w * h);
  const area = areas.reduce((sum, each) => sum + each, 0) / areas.length;
  return records.map(({ id, x, y, width, height }) => {
    const w = Math.sqrt(area / tileRatio(height / width));
    return { id, x, y, w: Math.min(20_000, Math.max(16, Math.round(w * 100) / 100)) };
  });
}

/**
 * Brings images in front of all others, or behind them; they keep their order among themselves.
 * @param {ImageRecord[]} records
 * @param {ImageRecord[]} others
 * @param {boolean} front
 * @returns {Place[]}
 */
export function restack(records, others, front) {
  const sorted = [...records].sort((a, b) => a.z - b.z || (a.id < b.id ? -1 : 1));
  const depths = others.map(({ z }) => z);
  const first = front ? Math.max(0, ...depths) + 1 : Math.min(0, ...depths) - sorted.length;
  return sorted.map(({ id, x, y }, at) => ({ id, x, y, z: first + at }));
}
