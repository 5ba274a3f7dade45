// @ts-check
// The HTTP request of one upload: `POST /image` with progress, and what the answer means.

import { personName } from '../ui/person.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('./item.js').Upload} Upload */

/** An upload that makes no progress for this long is aborted, and counts as unreachable. */
const STALL_MS = 60_000;

/**
 * - `saved`: the server has stored the image
 * - `unreachable`: the request or its answer was lost
 * - `busy`: the server asks to try again after `retryAfterMs`; 0 if it does not say when
 * - `refused`: the server does not accept the file; `reason` is a sentence
 * @typedef {{ kind: 'saved', record: ImageRecord | null }
 *   | { kind: 'unreachable' }
 *   | { kind: 'busy', retryAfterMs: number, reason: string }
 *   | { kind: 'refused', status: number, reason: string }} Outcome
 */

/**
 * Sends a file. `onOutcome` is called once, also after `abort()`.
 * @param {Upload} upload
 * @param {object} handlers
 * @param {(progress: number) => void} handlers.onProgress Sent bytes, 0 to 1.
 * @param {() => void} handlers.onSent All bytes are sent; the answer is outstanding.
 * @param {(outcome: Outcome) => void} handlers.onOutcome
 * @returns {XMLHttpRequest} `fetch` reports no progress of what it sends.
 */
export function sendUpload(upload, { onProgress, onSent, onOutcome }) {
  const request = new XMLHttpRequest();
  let stall = 0;
  const restartStall = () => {
    clearTimeout(stall);
    stall = window.setTimeout(() => request.abort(), STALL_MS);
  };
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    restartStall();
    onProgress(total > 0 ? loaded / total : 0);
  });
  request.upload.addEventListener('load', onSent);
  request.addEventListener('loadend', () => {
    clearTimeout(stall);
    onOutcome(outcomeOf(request));
  });
  request.open('POST', '/image');
  restartStall();
  request.send(formOf(upload));
  return request;
}

/** @param {Upload} upload */
function formOf({ id, file }) {
  const form = new FormData();
  form.append('id', id);
  form.append('fileName', file.name);
  form.append('type', file.type);
  if (personName()) form.append('author', personName());
  form.append('file', file);
  return form;
}

/**
 * @param {XMLHttpRequest} request
 * @returns {Outcome}
 */
function outcomeOf(request) {
  const { status } = request;
  if (status === 200 || status === 201) return { kind: 'saved', record: parse(request.responseText) };
  if (status === 0) return { kind: 'unreachable' };
  const reason = reasonOf(request);
  if (status !== 503 && status !== 429) return { kind: 'refused', status, reason };
  const seconds = Number(request.getResponseHeader('Retry-After'));
  return { kind: 'busy', retryAfterMs: seconds > 0 ? Math.min(seconds, 30) * 1_000 : 0, reason };
}

/**
 * The problem details of a refusal (RFC 9457), as a sentence.
 * @param {XMLHttpRequest} request
 */
function reasonOf(request) {
  const { detail, title } = parse(request.responseText) ?? {};
  const text = String(detail || title || request.statusText || `The server answered ${request.status}`).trim();
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/**
 * @param {string} text
 * @returns {any} Null for text that is not JSON.
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
