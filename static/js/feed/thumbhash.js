// @ts-check
// ThumbHash (https://evanw.github.io/thumbhash/): a blurred image in about 28 bytes. It holds the first waves of a cosine
// transform of lightness, of two colour differences and of opacity.

/** The longer side of the decoded bitmap in pixels. It is enlarged smoothly, and has at most seven waves a side. */
const SIDE = 16;

/** The number of URLs that are kept, for images that come into view again. */
const MAX_KEPT = 2_000;
/** URLs by hash and ratio, the oldest first. @type {Map<string, string>} */
const kept = new Map();
const canvas = document.createElement('canvas');

/**
 * The blurred image as a `data:` URL; empty if the hash is invalid.
 * @param {string} base64
 * @param {number} ratio Height divided by width.
 */
export function thumbhashUrl(base64, ratio) {
  const key = `${base64} ${ratio}`;
  const url = kept.get(key) ?? encode(base64, ratio);
  kept.delete(key);
  kept.set(key, url);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT) kept.delete(oldest);
  return url;
}

/**
 * @param {string} base64
 * @param {number} ratio
 */
function encode(base64, ratio) {
  const bytes = bytesOf(base64);
  if (bytes.length < 5) return '';
  canvas.width = Math.max(1, Math.round(ratio > 1 ? SIDE / ratio : SIDE));
  canvas.height = Math.max(1, Math.round(ratio > 1 ? SIDE : SIDE * ratio));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) return '';
  const pixels = context.createImageData(canvas.width, canvas.height);
  paint(pixels, channelsOf(bytes));
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

/** @param {string} base64 */
function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** A channel: its mean, and its waves by their number across and down. @typedef {{ mean: number, waves: { x: number, y: number, factor: number }[] }} Channel */

/**
 * @param {Uint8Array} bytes
 * @returns {{ lightness: Channel, yellowness: Channel, redness: Channel, opacity: Channel }}
 */
function channelsOf(bytes) {
  const first = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  const second = bytes[3] | (bytes[4] << 8);
  const hasAlpha = first >> 23 !== 0;
  const isLandscape = second >> 15 !== 0;
  const longer = hasAlpha ? 5 : 7;
  const shorter = second & 7;
  const across = Math.max(3, isLandscape ? longer : shorter);
  const down = Math.max(3, isLandscape ? shorter : longer);
  let nibble = (hasAlpha ? 6 : 5) * 2;
  const channel = (/** @type {number} */ mean, /** @type {number} */ nx, /** @type {number} */ ny, /** @type {number} */ scale) => {
    const waves = [];
    for (let y = 0; y < ny; y += 1) {
      for (let x = y === 0 ? 1 : 0; x * ny < nx * (ny - y); x += 1) {
        const value = (bytes[nibble >> 1] >> ((nibble & 1) << 2)) & 15;
        waves.push({ x, y, factor: (value / 7.5 - 1) * scale });
        nibble += 1;
      }
    }
    return { mean, waves };
  };
  // The order in which the waves are stored.
  const lightness = channel((first & 63) / 63, across, down, ((first >> 18) & 31) / 31);
  const yellowness = channel(((first >> 6) & 63) / 31.5 - 1, 3, 3, (((second >> 3) & 63) / 63) * 1.25);
  const redness = channel(((first >> 12) & 63) / 31.5 - 1, 3, 3, (((second >> 9) & 63) / 63) * 1.25);
  const opacity = hasAlpha ? channel((bytes[5] & 15) / 15, 5, 5, (bytes[5] >> 4) / 15) : { mean: 1, waves: [] };
  return { lightness, yellowness, redness, opacity };
}

/**
 * @param {ImageData} pixels
 * @param {ReturnType<typeof channelsOf>} channels
 */
function paint({ data, width, height }, { lightness, yellowness, redness, opacity }) {
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const across = ((x + 0.5) / width) * Math.PI;
      const down = ((y + 0.5) / height) * Math.PI;
      const [l, p, q, a] = [lightness, yellowness, redness, opacity].map((channel) => valueAt(channel, across, down));
      const blue = l - (2 / 3) * p;
      const red = (3 * l - blue + q) / 2;
      data.set([red, red - q, blue, a].map((value) => value * 255), (y * width + x) * 4);
    }
  }
}

/**
 * @param {Channel} channel
 * @param {number} across
 * @param {number} down
 */
function valueAt({ mean, waves }, across, down) {
  return waves.reduce((sum, { x, y, factor }) => sum + 2 * factor * Math.cos(across * x) * Math.cos(down * y), mean);
}
