// @ts-check
// The layout of the album: justified rows below the headings of the days. Pure functions, in pixels from the top left corner
// of the content.

import { justified, rowsIn, sizeIn } from '../board/rows.js';
import { startOfDay } from './days.js';

/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('../board/rows.js').RowStyle} RowStyle */

/** The photos from `start` to before `end`, newest first. @typedef {{ start: number, end: number, y: number, height: number }} Part */
/** @typedef {Part & { photo: number, day: Day }} Row `photo` is the height of its photos, unless they are smaller. */
/** @typedef {Part & { date: Date }} Day `date` is its midnight. */
/** @typedef {{ records: ImageRecord[], rows: Row[], height: number, style: AlbumStyle }} Layout */
/** @typedef {RowStyle & { side: number }} AlbumStyle `side` is the margin at the left and the right. */

/** The space that the controls cover. */
export const TOP = 70;
const BOTTOM = 112;
const HEADING = 48;
const DAY_GAP = 20;

/**
 * The sizes for a width: about three columns edge to edge on a phone, five on a wide screen.
 * @param {number} width
 * @returns {AlbumStyle}
 */
export function styleFor(width) {
  const height = Math.round(Math.min(240, 70 + width * 0.13));
  const [gap, side] = width < 600 ? [2, 0] : width < 1000 ? [5, 14] : [8, 24];
  return { height, lowest: height * 0.6, tallest: height * 1.45, gap, side };
}

/**
 * @param {ImageRecord[]} records Newest first.
 * @param {number} width
 * @param {Date} now
 * @returns {Layout}
 */
export function layOut(records, width, now) {
  const style = styleFor(width);
  const today = startOfDay(now).toISOString();
  /** @type {Row[]} */
  const rows = [];
  let y = TOP;
  for (let start = 0; start < records.length; start = rows[rows.length - 1].day.end) {
    const day = { date: startOfDay(new Date(records[start].createdAt)), start, end: endOfDay(records, start), y, height: HEADING };
    for (const row of rowsOf(records.slice(start, day.end), width - 2 * style.side, style, records[start].createdAt >= today)) {
      const images = records.slice(start + row.start, start + row.end);
      const height = Math.round(Math.max(...images.map((image) => sizeIn(image, row.height).h)));
      rows.push({ start: start + row.start, end: start + row.end, y: y + day.height, height, photo: row.height, day });
      day.height += height + style.gap;
    }
    y += day.height + DAY_GAP;
  }
  return { records, rows, height: y + BOTTOM, style };
}

/**
 * The boxes of the photos of a row, in whole pixels, so that all gaps look the same.
 * @param {Row} row
 * @param {Layout} layout
 * @returns {Box[]}
 */
export function boxesOf(row, { records, style }) {
  let x = style.side;
  return records.slice(row.start, row.end).map((record) => {
    const { w, h } = sizeIn(record, row.photo);
    const [left, right] = [Math.round(x), Math.max(Math.round(x) + 1, Math.round(x + w))];
    x += w + style.gap;
    return { x: left, y: row.y + Math.round((row.height - h) / 2), w: right - left, h: Math.max(1, Math.round(h)) };
  });
}

/**
 * The index of the first row that ends below `y`; the number of rows if there is none.
 * @param {readonly Row[]} rows
 * @param {number} y
 */
export function rowBelow(rows, y) {
  return firstIndex(rows.length, (at) => rows[at].y + rows[at].height > y);
}

/**
 * The index of the row with the photo at `index`.
 * @param {readonly Row[]} rows
 * @param {number} index
 */
export function rowWith(rows, index) {
  return firstIndex(rows.length, (at) => rows[at].end > index);
}

/**
 * The lowest index of which `holds` is true, which must be true of all higher ones.
 * @param {number} length
 * @param {(at: number) => boolean} holds
 */
export function firstIndex(length, holds) {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Today's rows are filled from the oldest photo on, so that a new photo changes only the first rows, not all of them.
 * @param {ImageRecord[]} records Of one day.
 * @param {number} width
 * @param {RowStyle} style
 * @param {boolean} isToday
 */
function rowsOf(records, width, style, isToday) {
  if (!isToday) return evenOut(rowsIn(records, width, style), records, width, style);
  const { length } = records;
  records.reverse();
  const rows = evenOut(rowsIn(records, width, style), records, width, style).reverse();
  return rows.map(({ start, end, height }) => ({ start: length - end, end: length - start, height }));
}

/**
 * Makes the last row a full one: together with the row before, as one row or as two.
 * @param {import('../board/rows.js').Row[]} rows
 * @param {ImageRecord[]} records
 * @param {number} width
 * @param {RowStyle} style
 * @returns {import('../board/rows.js').Row[]}
 */
function evenOut(rows, records, width, style) {
  const others = rows.slice(0, -2);
  const [{ start }] = rows.slice(-2);
  const end = records.length;
  if (rows[rows.length - 1].height !== style.height) return rows;
  const full = (/** @type {number} */ from, /** @type {number} */ to) => ({ start: from, end: to, height: justified(records, from, to, width, style) });
  const change = (/** @type {import('../board/rows.js').Row} */ { height }) => Math.abs(Math.log(height / style.height));
  let best = rows.slice(-2);
  let least = Math.log(style.tallest / style.height);
  for (let split = start + 1; split <= end; split += 1) {
    const tried = split < end ? [full(start, split), full(split, end)] : [full(start, end)];
    const most = Math.max(...tried.map(change));
    if (most < least) [best, least] = [tried, most];
  }
  return [...others, ...best];
}

/**
 * The index of the first photo of an earlier day. Times in UTC compare as text.
 * @param {readonly ImageRecord[]} records
 * @param {number} start
 */
function endOfDay(records, start) {
  const day = startOfDay(new Date(records[start].createdAt));
  const midnight = Number.isNaN(day.getTime()) ? '' : day.toISOString();
  let end = start + 1;
  while (end < records.length && records[end].createdAt >= midnight) end += 1;
  return end;
}
