// @ts-check
// Facts about an image, as text for the page.

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

/**
 * A size as the server's messages and file managers give it, in powers of 1,024.
 * @param {number} bytes
 */
export function sizeText(bytes) {
  if (bytes < 1_024) return `${bytes} bytes`;
  const [value, unit] = bytes < 1_023.5 * 1_024 ? [bytes / 1_024, 'KB'] : [bytes / 1_048_576, 'MB'];
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
