// @ts-check
// The addresses of an image's files. Only paths on this server are followed, also if a record names another host.

import { pathBelowRoot, pathOf } from '../ui/site.js';

/** @typedef {import('./types.js').ImageRecord} ImageRecord */

/**
 * The path of the full image.
 * @param {ImageRecord} record
 */
export function urlOf({ id, url }) {
  return pathOnThisServer(url) ?? pathOf(`image/${id}`);
}

/**
 * The path of the thumbnail, or of the full image if there is none.
 * @param {ImageRecord} record
 */
export function thumbOf(record) {
  return pathOnThisServer(record.thumb) ?? urlOf(record);
}

/**
 * The path of the file in a size.
 * @param {ImageRecord} record
 * @param {64 | 160 | 512 | 'full'} size
 */
export function fileOf(record, size) {
  if (size === 'full') return urlOf(record);
  return size === 512 ? thumbOf(record) : `${urlOf(record)}/thumbnail?size=${size}`;
}

/** @param {string | undefined} address */
function pathOnThisServer(address) {
  if (!address) return null;
  const path = pathBelowRoot(address);
  return path?.startsWith('image/') ? pathOf(path) : null;
}
