// @ts-check
// Arranging images: justified rows, alignment, equal sizes and the order from back to front. Pure functions that return the
// new placements.

import { boundsOf, boxOf, overlaps, tileRatio } from './geometry.js';
import { rowsIn, sizeIn } from './rows.js';

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {{ id: string, x: number, y: number, w?: number, z?: number }} Place */

/** As on the server. */
const STYLE = { height: 240, lowest: 120, tallest: 300, gap: 16 };
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
 * Arranges images in justified rows from the top left corner of their present bounds, or below what is `taken` if they would
 * cover some of it.
 * @param {ImageRecord[]} records In the order of the rows.
 * @param {Box[]} taken
 * @returns {Place[]}
 */
export function tidy(records, taken) {
  const bounds = boundsOf(records.map(boxOf));
  if (!bounds) return [];
  const rows = rowsOf(records);
  const area = { ...bounds, w: Math.max(...rows.map(({ x, w }) => x + w)), h: Math.max(...rows.map(({ y, h }) => y + h)) };
  const all = taken.some((box) => overlaps(box, area)) ? boundsOf([...taken, bounds]) : null;
  const [x, y] = all ? [all.x, all.y + all.h + ROW_GAP] : [bounds.x, bounds.y];
  const round = (/** @type {number} */ value) => Math.round(value * 100) / 100;
  return rows.map((box, at) => ({ id: records[at].id, x: round(x + box.x), y: round(y + box.y), w: Math.max(16, round(box.w)) }));
}

/**
 * @param {ImageRecord[]} records
 * @returns {Box[]} From the origin.
 */
function rowsOf(records) {
  const widths = records.map((record) => sizeIn(record, STYLE.height).w + STYLE.gap);
  const total = widths.reduce((sum, width) => sum + width, 0);
  const width = Math.max(Math.sqrt(total * (STYLE.height + ROW_GAP) * SCREEN), ...widths);
  /** @type {Box[]} */
  const boxes = [];
  let y = 0;
  for (const { start, end, height } of rowsIn(records, width, STYLE)) {
    const row = records.slice(start, end).map((record) => sizeIn(record, height));
    const band = Math.max(...row.map(({ h }) => h));
    let x = 0;
    for (const { w, h } of row) {
      boxes.push({ x, y: y + (band - h) / 2, w, h });
      x += w + STYLE.gap;
    }
    y += band + ROW_GAP;
  }
  return boxes;
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
