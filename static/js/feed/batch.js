// @ts-check
// Reads `Image:batch`: many records in one message, column by column, without what can be derived.

/** @typedef {import('./types.js').ImageRecord} ImageRecord */

/**
 * The records of a batch; none of an invalid one.
 * @param {any} columns
 * @returns {ImageRecord[]}
 */
export function recordsOf(columns) {
  const { count, id: ids } = columns;
  if (!Array.isArray(ids) || ids.length !== count) return [];
  const names = Object.keys(columns).filter((name) => Array.isArray(columns[name]) && columns[name].length === count);
  return ids.map((_, at) => {
    /** @type {any} */
    const record = {};
    for (const name of names) if (columns[name][at] !== null) record[name] = columns[name][at];
    return complete(record);
  });
}

/** @param {any} record With the fields as in the columns. */
function complete(record) {
  const id = uuidOf(String(record.id));
  const url = `/image/${id}`;
  return {
    ...record,
    id,
    url,
    thumb: record.thumb ? `${url}/thumb` : undefined,
    type: `image/${record.type}`,
    createdAt: new Date(timeIn(id) + record.createdAt).toISOString(),
    waiting: Boolean(record.waiting),
    damaged: Boolean(record.damaged),
  };
}

/** @param {string} base64url Of 16 bytes. */
function uuidOf(base64url) {
  const bytes = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  const hex = Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The first 48 bits of a UUIDv7 are milliseconds (RFC 9562). @param {string} id */
function timeIn(id) {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
