// @ts-check
// The SHA-256 of a file: by the browser itself where it lets us, and otherwise in a worker.

/** The browser's own takes a file as a whole; what is larger than this is no image, and not worth the memory. */
const LARGEST = 64 << 20;

/**
 * @param {Blob} file
 * @returns {Promise<string | null>} 64 hexadecimal digits; null for what cannot be read, is too large, or where there is no way.
 */
export async function sha256Of(file) {
  if (file.size > LARGEST) return null;
  try {
    return crypto.subtle ? hexOf(await crypto.subtle.digest('SHA-256', await file.arrayBuffer())) : await inWorker(file);
  } catch {
    return null;
  }
}

/** @param {ArrayBuffer} digest */
function hexOf(digest) {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @type {Worker | null} */
let worker = null;
let count = 0;
/** @type {Map<number, (hex: string | null) => void>} */
const waiting = new Map();

/**
 * @param {Blob} file
 * @returns {Promise<string | null>}
 */
function inWorker(file) {
  worker ??= start();
  const number = (count += 1);
  const answer = new Promise((resolve) => waiting.set(number, resolve));
  worker.postMessage({ number, file });
  return answer;
}

function start() {
  const started = new Worker(new URL('./hash-worker.js', import.meta.url), { type: 'module' });
  started.addEventListener('message', ({ data: { number, hex } }) => {
    waiting.get(number)?.(hex);
    waiting.delete(number);
  });
  // It could not be loaded: whoever waits goes on without, and the next one tries anew.
  started.addEventListener('error', () => {
    if (worker === started) worker = null;
    for (const resolve of waiting.values()) resolve(null);
    waiting.clear();
  });
  return started;
}
