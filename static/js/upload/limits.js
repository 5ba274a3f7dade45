// @ts-check
// The limits of the server for an image.

import { onBoard } from '../ui/site.js';

/**
 * - `maxUpload`: in bytes
 * - `maxPixels`: width × height
 * @typedef {{ maxUpload: number, maxPixels: number }} Limits
 */

/** The limits to go by while the server cannot be asked: its defaults. @type {Limits} */
export const DEFAULT_LIMITS = { maxUpload: 16 << 20, maxPixels: 100_000_000 };

const TIMEOUT_MS = 5_000;

/** @type {Promise<Limits | null> | null} */
let limits = null;

/**
 * Asks the server once, at the first upload.
 * @returns {Promise<Limits | null>} Null if it does not answer; the next call asks again.
 */
export async function uploadLimits() {
  limits ??= load();
  const loaded = await limits;
  if (!loaded) limits = null;
  return loaded;
}

/** @returns {Promise<Limits | null>} */
async function load() {
  try {
    const response = await fetch(onBoard('limits'), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { maxUpload, maxPixels } = await response.json();
    return maxUpload > 0 && maxPixels > 0 ? { maxUpload, maxPixels } : null;
  } catch {
    return null;
  }
}
