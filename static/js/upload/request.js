// @ts-check
// The HTTP request of one upload: `POST /image` with progress, and what the answer means.

import { personName } from '../ui/person.js';
import { onBoard } from '../ui/site.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('./item.js').Upload} Upload */

/** An upload that makes no progress for this long is aborted, and counts as unreachable. */
const STALL_MS = 60_000;

/**
 * - `saved`: the server has stored the image
 * - `unreachable`: the request or its answer was lost
 * - `busy`: the server asks to try again after `retryAfterMs`; 0 if it does not say when. `isLimit` if only this client, or link,
 *   sends too much
 * - `refused`: the server does not accept the file; `reason` is a sentence
 * @typedef {{ kind: 'saved', record: ImageRecord | null }
 *   | { kind: 'unreachable' }
 *   | { kind: 'busy', retryAfterMs: number, isLimit: boolean, reason: string }
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
  request.open('POST', onBoard('image'));
  restartStall();
  request.send(formOf(upload));
  return request;
}

/** @param {Upload} upload */
function formOf({ id, file, author }) {
  const form = new FormData();
  form.append('id', id);
  form.append('fileName', file.name);
  form.append('type', file.type);
  const name = author || personName();
  if (name) form.append('author', name);
  form.append('file', file);
  return form;
}

/**
 * @param {XMLHttpRequest} request
 * @returns {Outcome}
 */
function outcomeOf(request) {
  const { status } = request;
  const answer = parse(request.responseText);
  if (status === 200 || status === 201) return { kind: 'saved', record: answer };
  // A proxy answers with 502 or 504 if it cannot reach the server; the server itself never does.
  if (status === 0 || status === 502 || status === 504) return { kind: 'unreachable' };
  const reason = reasonOf(answer) ?? proxyReason(status);
  if (status !== 503 && status !== 429) return { kind: 'refused', status, reason };
  const seconds = Number(request.getResponseHeader('Retry-After'));
  return { kind: 'busy', retryAfterMs: seconds > 0 ? Math.min(seconds, 30) * 1_000 : 0, isLimit: status === 429, reason };
}

/**
 * The problem details of a refusal (RFC 9457), as a sentence. Null without details: every refusal of the server has some.
 * @param {any} answer
 */
function reasonOf(answer) {
  const text = String(answer?.detail || answer?.title || '').trim();
  if (text === '') return null;
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/**
 * The reason of a proxy between the page and the server, whose own words are HTML.
 * @param {number} status
 */
function proxyReason(status) {
  if (status === 413) return 'Too large: a server in between refused it.';
  if (status === 429 || status === 503) return 'The server is busy.';
  return `A server in between refused it (${status}).`;
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
