// @ts-check
// Re-encoding a photo in the page: converts formats that the server does not accept, and shrinks what is over its limits.

/** @typedef {import('./limits.js').Limits} Limits */

const QUALITY = 0.92;
const SHRUNK_QUALITY = 0.88;
/** Each attempt has at most 85 % of the width of the last, so the eighth has a third of it or less. */
const MAX_ATTEMPTS = 8;
/** The size of a coded photo is roughly proportional to its area; aims a little below the limit. */
const AIM = 0.95;

/**
 * Converts a photo to JPEG within the limits, as large as possible, upright and on white.
 * @param {File} file
 * @param {Limits} limits
 * @returns {Promise<File | null>} Null if this browser cannot decode the file.
 */
export function convertToJpeg(file, limits) {
  return encode(file, 'image/jpeg', QUALITY, limits);
}

/**
 * Scales a photo down and codes it again until it is within the limits.
 * @param {File} file
 * @param {boolean} mayBeTransparent Then the result is WebP, where the browser can encode it.
 * @param {Limits} limits
 * @returns {Promise<File | null>} Null if this browser cannot decode the file.
 */
export function shrink(file, mayBeTransparent, limits) {
  return encode(file, mayBeTransparent ? 'image/webp' : 'image/jpeg', SHRUNK_QUALITY, limits);
}

/**
 * @param {File} file
 * @param {string} type
 * @param {number} quality
 * @param {Limits} limits
 */
async function encode(file, type, quality, { maxUpload, maxPixels }) {
  const image = await decode(file);
  if (!image) return null;
  try {
    const { width, height } = image;
    let scale = Math.min(1, Math.sqrt(maxPixels / (width * height)));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const blob = await draw(image.source, Math.floor(width * scale), Math.floor(height * scale), type, quality);
      if (blob && blob.size <= maxUpload) return named(file, blob);
      // Without a blob the canvas was too large for this browser.
      scale *= blob ? Math.min(0.85, Math.sqrt(maxUpload / blob.size) * AIM) : 0.5;
    }
    return null;
  } finally {
    image.close();
  }
}

/**
 * Decodes a file, with its EXIF orientation applied.
 * @param {File} file
 * @returns {Promise<{ source: CanvasImageSource, width: number, height: number, close: () => void } | null>}
 */
async function decode(file) {
  try {
    const bitmap = await createImageBitmap(file);
    return { source: bitmap, width: bitmap.width, height: bitmap.height, close: () => bitmap.close() };
  } catch {
    // Some browsers decode more formats in an <img> than into a bitmap.
    return decodeElement(file);
  }
}

/** @param {File} file */
async function decodeElement(file) {
  const url = URL.createObjectURL(file);
  const close = () => URL.revokeObjectURL(url);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
    return { source: image, width: image.naturalWidth, height: image.naturalHeight, close };
  } catch {
    close();
    return null;
  }
}

/**
 * The pixels of a file, from its header; 0 if this browser cannot decode it.
 * @param {File} file
 * @returns {Promise<number>}
 */
export async function pixelCount(file) {
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.src = url;
  await new Promise((resolve) => {
    image.onload = resolve;
    image.onerror = resolve;
  });
  URL.revokeObjectURL(url);
  return image.naturalWidth * image.naturalHeight;
}

/**
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @param {string} type
 * @param {number} quality
 * @returns {Promise<Blob | null>} A JPEG if the browser cannot encode `type`. Null if it cannot make such a canvas.
 */
async function draw(source, width, height, type, quality) {
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, width);
  canvas.height = Math.max(1, height);
  const context = canvas.getContext('2d');
  if (!context) return null;
  if (type === 'image/jpeg') {
    context.fillStyle = '#ffffff';
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, type, quality));
  // Frees the memory at once; Safari keeps canvases until it collects garbage.
  canvas.width = canvas.height = 0;
  if (blob && blob.type !== type) return draw(source, width, height, 'image/jpeg', quality);
  return blob;
}

/**
 * @param {File} original
 * @param {Blob} blob
 */
function named({ name, lastModified }, blob) {
  const extension = blob.type === 'image/webp' ? '.webp' : '.jpg';
  const stem = name.replace(/\.[^.]{1,5}$/, '') || name;
  return new File([blob], stem + extension, { type: blob.type, lastModified });
}
