// @ts-check
// Prepares a file for the server: converts formats that only this browser can decode, and finds out what is too large,
// before any byte is sent.

import { sizeText } from '../ui/text.js';
import { formatOf } from './format.js';
import { DEFAULT_LIMITS, uploadLimits } from './limits.js';
import { convertToJpeg, pixelCount, shrink } from './reencode.js';

/** @typedef {import('./format.js').Format} Format */

/**
 * Either the file to send, or why it cannot be sent. `canShrink`: `shrinkToLimit` will do.
 * @typedef {{ file: File, reason?: undefined } | { reason: string, canShrink: boolean }} Prepared
 */

/** Advice for a file that this browser cannot decode, by format. @type {Partial<Record<Format, string>>} */
const ADVICE = {
  heic: 'HEIC: on the iPhone choose Settings › Camera › Formats › Most Compatible.',
  tiff: 'TIFF: save the photo as JPEG or PNG and add it again.',
  bmp: 'BMP: save the photo as JPEG or PNG and add it again.',
  jxl: 'JPEG XL: save the photo as JPEG or PNG and add it again.',
};

/** The end of the last conversion. */
let lastConversion = Promise.resolve();

/**
 * Runs conversions one after the other: each holds a decoded photo, up to 400 MB, in memory.
 * @template T
 * @param {() => Promise<T>} convert
 * @returns {Promise<T>}
 */
function whenFree(convert) {
  const result = lastConversion.then(convert);
  lastConversion = result.then(() => {}, () => {});
  return result;
}

/**
 * @param {File} file
 * @param {() => void} onConvert Called before a conversion, which can take seconds.
 * @returns {Promise<Prepared>}
 */
export async function prepare(file, onConvert) {
  const [format, limits] = await Promise.all([formatOf(file), uploadLimits()]);
  const advice = format && ADVICE[format];
  if (advice) {
    onConvert();
    const converted = await whenFree(() => convertToJpeg(file, limits ?? DEFAULT_LIMITS));
    return converted ? { file: converted } : { reason: advice, canShrink: false };
  }
  if (limits && file.size > limits.maxUpload) {
    return { reason: `Too large: the limit is ${sizeText(limits.maxUpload)}.`, canShrink: isShrinkable(format) };
  }
  return { file };
}

/**
 * @param {File} file
 * @returns {Promise<Prepared>}
 */
export async function shrinkToLimit(file) {
  const [format, limits] = await Promise.all([formatOf(file), uploadLimits()]);
  const mayBeTransparent = format !== 'jpeg';
  const shrunk = await whenFree(() => shrink(file, mayBeTransparent, limits ?? DEFAULT_LIMITS));
  return shrunk ? { file: shrunk } : { reason: 'This photo is too large for this browser to shrink.', canShrink: false };
}

/**
 * Returns whether a file that the server has refused is only too large, in bytes (413) or in pixels (422), and can be shrunk.
 * @param {File} file
 * @param {number} status
 */
export async function canShrink(file, status) {
  if (!isShrinkable(await formatOf(file))) return false;
  return status === 413 || (status === 422 && (await hasTooManyPixels(file)));
}

/** @param {File} file */
async function hasTooManyPixels(file) {
  const [limits, pixels] = await Promise.all([uploadLimits(), pixelCount(file)]);
  return limits !== null && pixels > limits.maxPixels;
}

/** A GIF would lose its animation. @param {Format | null} format */
function isShrinkable(format) {
  return format !== null && format !== 'gif';
}
