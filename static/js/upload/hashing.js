// @ts-check
// The SHA-256 of a file, by `crypto.subtle` in a secure context and in a worker otherwise.

/** `crypto.subtle` needs the whole file in memory. Larger files are not hashed; the server accepts none of them by default. */
const MAX_SIZE = 64 << 20;

/**
 * @param {Blob} file
 * @returns {Promise<string | null>} 64 hexadecimal digits; null if the file cannot be read or is too large.
 */
export async function sha256Of(file) {
  if (file.size > MAX_SIZE) return null;
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
  // The script could not be loaded. Resolves pending requests without a hash; the next one starts a new worker.
  started.addEventListener('error', () => {
    if (worker === started) worker = null;
    for (const resolve of waiting.values()) resolve(null);
    waiting.clear();
  });
  return started;
}
