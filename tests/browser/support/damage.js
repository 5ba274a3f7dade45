// Damaged copies of files, the same in each run.

/** @typedef {{ name: string, bytes: Buffer }} File */

/**
 * A generator of pseudo-random integers from 0 to `limit - 1` (the constants are those of Numerical Recipes).
 * @param {string} seed
 */
function randomFrom(seed) {
  let state = 2166136261;
  for (const letter of seed) state = Math.imul(state ^ letter.charCodeAt(0), 16777619) >>> 0;
  return (/** @type {number} */ limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/**
 * Copies of a file that are cut off, continued, changed in single bits and bytes, or shifted.
 * @param {File} file
 * @returns {File[]}
 */
export function damaged({ name, bytes }) {
  const random = randomFrom(name);
  const copy = (/** @type {string} */ kind, /** @type {Uint8Array} */ changed) => ({
    name: `${kind}-${name.replaceAll('/', '-')}`,
    bytes: Buffer.from(changed),
  });
  const changed = (/** @type {string} */ kind, /** @type {number} */ from, /** @type {number} */ count) => {
    const other = Buffer.from(bytes);
    for (let change = 0; change < count; change += 1) other[from + random(bytes.length - from)] = random(256);
    return copy(kind, other);
  };
  const flipped = Buffer.from(bytes);
  flipped[random(bytes.length)] ^= 1 << random(8);
  const blank = random(bytes.length - 16);
  const gap = random(bytes.length - 16);
  return [
    ...[0.2, 0.5, 0.75, 0.95].map((part) => copy(`cut-${part}`, bytes.subarray(0, Math.floor(bytes.length * part)))),
    copy('cut-end', bytes.subarray(0, bytes.length - 1)),
    copy('continued', Buffer.concat([bytes, Buffer.from('and more')])),
    copy('bit', flipped),
    changed('late', bytes.length >> 1, 2),
    changed('bytes', 0, 4),
    copy('zeros', Buffer.from(bytes).fill(0, blank, blank + 16)),
    copy('gap', Buffer.concat([bytes.subarray(0, gap), bytes.subarray(gap + 7)])),
    copy('shift', Buffer.concat([bytes.subarray(0, gap), Buffer.from([0, 255, 7]), bytes.subarray(gap)])),
  ];
}
