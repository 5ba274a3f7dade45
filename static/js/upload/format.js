// @ts-check
// The format of a file, by its first bytes. Names and MIME types are not trusted: a HEIC is often called .jpg.

/** @typedef {'jpeg' | 'png' | 'gif' | 'webp' | 'avif' | 'heic' | 'tiff' | 'bmp' | 'jxl'} Format */

/** Enough for the brands of an ISO base media file. */
const HEAD_BYTES = 64;

/** Brands of HEIF files whose images are coded with HEVC (ISO/IEC 23008-12, annex B), or with an unnamed codec. */
const HEIC_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'];

/**
 * @param {Blob} file
 * @returns {Promise<Format | null>} Null for an unknown format and for a file that cannot be read.
 */
export async function formatOf(file) {
  try {
    return formatOfBytes(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  } catch {
    return null;
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {Format | null}
 */
function formatOfBytes(bytes) {
  const text = (/** @type {number} */ from, /** @type {number} */ to) => String.fromCharCode(...bytes.subarray(from, to));
  if (text(0, 3) === '\xff\xd8\xff') return 'jpeg';
  if (text(0, 4) === '\x89PNG') return 'png';
  if (text(0, 4) === 'GIF8') return 'gif';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp';
  if (text(4, 8) === 'ftyp') return heifFormat(bytes, text);
  if (text(0, 4) === 'II*\0' || text(0, 4) === 'MM\0*') return 'tiff';
  // A bare JPEG XL codestream, or its container.
  if (text(0, 2) === '\xff\x0a' || text(4, 12) === 'JXL \r\n\x87\n') return 'jxl';
  // Two letters are too little to go by: the size of the header that follows must be one that exists.
  if (text(0, 2) === 'BM' && [12, 40, 52, 56, 64, 108, 124].includes(bytes[14]) && bytes[15] === 0) return 'bmp';
  return null;
}

/**
 * @param {Uint8Array} bytes
 * @param {(from: number, to: number) => string} text
 * @returns {Format | null}
 */
function heifFormat(bytes, text) {
  const end = Math.min(bytes.length, ((bytes[2] << 8) | bytes[3]) || bytes.length);
  const brands = [text(8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(text(at, at + 4));
  if (brands.some((brand) => brand === 'avif' || brand === 'avis')) return 'avif';
  return brands.some((brand) => HEIC_BRANDS.includes(brand)) ? 'heic' : null;
}
