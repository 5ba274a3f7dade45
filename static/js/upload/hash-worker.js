// @ts-check
// A worker that hashes files off the main thread. See hashing.js.

import { Sha256 } from './sha256.js';

/** The size of the pieces in which a file is read, in bytes. */
const PIECE = 1 << 20;

/**
 * @param {Blob} file
 * @returns {Promise<string | null>} Null if the file cannot be read.
 */
async function hash(file) {
  const sha256 = new Sha256();
  try {
    for (let at = 0; at < file.size; at += PIECE) {
      sha256.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
    }
    return sha256.hex();
  } catch {
    return null;
  }
}

addEventListener('message', async ({ data: { number, file } }) => postMessage({ number, hex: await hash(file) }));
