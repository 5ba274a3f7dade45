// @ts-check
// What is known about a image, in words.

/** @type {Record<string, string>} */
const TYPES = {
  'image/png': 'PNG',
  'image/jpeg': 'JPEG',
  'image/gif': 'GIF',
  'image/webp': 'WebP',
  'image/avif': 'AVIF',
};

/** @param {string} type A MIME type. */
export function typeName(type) {
  return TYPES[type] ?? type;
}

/** @param {number} bytes */
export function sizeText(bytes) {
  if (bytes < 1_000) return `${bytes} bytes`;
  const [value, unit] = bytes < 999_500 ? [bytes / 1_000, 'kB'] : [bytes / 1_000_000, 'MB'];
  return `${new Intl.NumberFormat('en', { maximumSignificantDigits: value < 10 ? 2 : 3 }).format(value)} ${unit}`;
}

/** @param {{ author?: string, createdAt: string }} record */
export function addedText({ author, createdAt }) {
  const date = new Date(createdAt);
  const when = Number.isNaN(date.getTime())
    ? ''
    : new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' }).format(date);
  return [author ? `Added by ${author}` : 'Added', when].filter(Boolean).join(author ? ', ' : ' on ');
}
