// @ts-check
// Photos of other web pages: finds their addresses in a drop or on the clipboard, and fetches them into this page. Only sites
// that allow it (CORS) can be read. The server fetches nothing.

import { forEachConcurrently } from '../feed/queue.js';
import { sizeText } from '../ui/text.js';
import { formatOf } from './format.js';
import { DEFAULT_LIMITS, uploadLimits } from './limits.js';

/**
 * The links in a transfer without files. An address is null if a page cannot fetch it, such as `file:`.
 * @typedef {{ addresses: (URL | null)[], areImages: boolean }} Links
 */

/**
 * - `unavailable`: the site does not allow it, does not answer, or answers with something else than the photo
 * - `other`: the address is not that of a photo
 * - `large`: over the upload limit
 * @typedef {{ name: string, problem: 'unavailable' | 'other' | 'large' }} Failure
 */

/** The time for all photos of a drop together. */
const TIMEOUT_MS = 10_000;

const SCHEMES = ['http:', 'https:', 'data:', 'blob:'];

/** The server keeps 255 characters of a name. The last ones are kept, with the extension. */
const MAX_NAME = 200;

const PHOTO_NAME = /\.(avif|bmp|gif|heic|heif|jpe?g|jxl|png|tiff?|webp)$/i;

/** Extensions that are not the subtype of the MIME type. @type {Record<string, string>} */
const EXTENSIONS = { jpeg: 'jpg', 'svg+xml': 'svg' };

/**
 * True if the transfer contains HTML or links, which may refer to photos.
 * @param {DataTransfer} transfer
 */
export function carriesLinks({ types }) {
  return types.includes('text/uri-list') || types.includes('text/html');
}

/**
 * True if a clipboard contains HTML or links, and no text that a browser could paste.
 * @param {DataTransfer} transfer
 */
export function carriesOnlyLinks(transfer) {
  if (!carriesLinks(transfer)) return false;
  if (transfer.getData('text/plain').trim() === '') return true;
  // The text that Chromium copies with an image alone is its alternative text.
  const { body } = parse(transfer.getData('text/html'));
  return body.querySelector('img') !== null && body.textContent?.trim() === '';
}

/**
 * The images in the HTML of a transfer, or else its links. Reads the transfer, which is empty after the event.
 * @param {DataTransfer} transfer
 * @returns {Links}
 */
export function linksOf(transfer) {
  const sources = Array.from(parse(transfer.getData('text/html')).images, (image) => image.getAttribute('src') ?? '');
  const images = [...new Set(sources)].map(addressOf);
  const areImages = images.length > 0;
  if (images.some((address) => address !== null)) return { addresses: images, areImages };
  const lines = transfer.getData('text/uri-list').split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  return { addresses: lines.length > 0 ? [...new Set(lines)].map(addressOf) : images, areImages };
}

/**
 * @param {Links} links At least one.
 * @returns {Promise<{ photos: File[], messages: string[] }>} `messages`: what could not be fetched, as sentences.
 */
export async function fetchPhotos({ addresses, areImages }) {
  const { maxUpload } = (await uploadLimits()) ?? DEFAULT_LIMITS;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  /** @type {(File | Failure)[]} */
  const results = [];
  await forEachConcurrently(addresses.entries(), async ([at, address]) => {
    const result = await fetchPhoto(address, maxUpload, signal);
    results[at] = result instanceof File ? result : explained(result, address, areImages);
  });
  const photos = results.flatMap((result) => (result instanceof File ? result : []));
  const failures = results.flatMap((result) => (result instanceof File ? [] : result));
  return { photos, messages: messagesFor(failures, photos.length, maxUpload) };
}

/** A document that is not shown, whose scripts do not run and whose images do not load. @param {string} html */
function parse(html) {
  return new DOMParser().parseFromString(html, 'text/html');
}

/** @param {string} text */
function addressOf(text) {
  try {
    const address = new URL(text);
    return SCHEMES.includes(address.protocol) ? address : null;
  } catch {
    // A relative address belongs to the other page, whose own address is not known.
    return null;
  }
}

/**
 * @param {URL | null} address
 * @param {number} limit In bytes.
 * @param {AbortSignal} signal
 * @returns {Promise<File | Failure>}
 */
async function fetchPhoto(address, limit, signal) {
  if (!address) return { name: '', problem: 'unavailable' };
  const name = nameOf(address, '');
  try {
    const response = await fetch(address, { credentials: 'omit', referrerPolicy: 'no-referrer', signal });
    const claimed = (response.headers.get('Content-Type') ?? '').split(';')[0].trim().toLowerCase();
    if (!response.ok || !mayBePhoto(claimed)) {
      await response.body?.cancel();
      return { name, problem: response.ok ? 'other' : 'unavailable' };
    }
    const bytes = await readAtMost(response, limit);
    if (!bytes) return { name, problem: 'large' };
    const type = claimed.startsWith('image/') ? claimed : await typeOf(bytes);
    return type ? new File(bytes, nameOf(address, type), { type }) : { name, problem: 'other' };
  } catch {
    return { name, problem: 'unavailable' };
  }
}

/** Some servers send photos without a type of their own. @param {string} type */
function mayBePhoto(type) {
  return type.startsWith('image/') || ['', 'application/octet-stream', 'binary/octet-stream'].includes(type);
}

/** @param {BlobPart[]} bytes */
async function typeOf(bytes) {
  const format = await formatOf(new Blob(bytes));
  return format && `image/${format}`;
}

/**
 * @param {Response} response
 * @param {number} limit
 * @returns {Promise<BlobPart[] | null>} Null if the body has more bytes than `limit`; the rest is not read.
 */
async function readAtMost(response, limit) {
  const reader = response.body?.getReader();
  /** @type {BlobPart[]} */
  const chunks = [];
  let size = 0;
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    size += read.value.length;
    if (size > limit) {
      await reader?.cancel();
      return null;
    }
    chunks.push(read.value);
  }
  return chunks;
}

/**
 * The last segment of the path, or `image` with the extension of the type.
 * @param {URL} address
 * @param {string} type
 */
function nameOf({ protocol, pathname }, type) {
  const segment = protocol.startsWith('http') ? decode(pathname).split('/').at(-1) : '';
  if (segment) return segment.slice(-MAX_NAME);
  const subtype = type.split('/')[1];
  return subtype ? `image.${EXTENSIONS[subtype] ?? subtype}` : 'image';
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * An image is known to be a photo, even if its site sends a page instead. A link that cannot be read is judged by its name.
 * @param {Failure} failure
 * @param {URL | null} address
 * @param {boolean} areImages
 * @returns {Failure}
 */
function explained({ name, problem }, address, areImages) {
  if (problem === 'large') return { name, problem };
  if (areImages) return { name, problem: 'unavailable' };
  const mayBe = problem === 'unavailable' && PHOTO_NAME.test(address?.pathname ?? '');
  return { name, problem: mayBe ? 'unavailable' : 'other' };
}

/**
 * @param {Failure[]} failures
 * @param {number} added The number of photos that were fetched.
 * @param {number} limit In bytes.
 */
function messagesFor(failures, added, limit) {
  const count = (/** @type {Failure['problem']} */ wanted) => failures.filter(({ problem }) => problem === wanted).length;
  const messages = failures
    .filter(({ problem }) => problem === 'large')
    .map(({ name }) => `${name} is too large: the limit is ${sizeText(limit)}.`);
  const unavailable = count('unavailable');
  if (unavailable === 1) messages.push('A photo could not be taken from its site: copy it there and paste it here.');
  if (unavailable > 1) messages.push(`${unavailable} photos could not be taken from their site: copy each there and paste it here.`);
  const others = count('other');
  const links = others === 1 ? 'a link is not a photo' : `${others} links are not photos`;
  if (others > 0) messages.push(added + messages.length > 0 ? `Not added: ${links}.` : `Nothing to add: ${links}.`);
  return messages;
}
