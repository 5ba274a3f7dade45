// @ts-check
// Requests to the server with JSON.

/** A request that the server refused or that did not reach it. The message is a sentence. */
export class RequestError extends Error {}

const UNREACHABLE = 'The server could not be reached.';

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body] Sent as JSON.
 * @returns {Promise<any>} The JSON of the answer, or null if there is none.
 */
export async function request(method, path, body) {
  const response = await send(method, path, body);
  return response.status === 204 ? null : response.json();
}

/**
 * The QR code of a link, as the URL of an image, which the caller must revoke.
 * @param {string} path Where codes are drawn.
 * @param {string} text
 */
export async function drawCode(path, text) {
  const response = await send('POST', path, { text });
  return URL.createObjectURL(await response.blob());
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function send(method, path, body) {
  const headers = { Accept: 'application/json', ...(body ? { 'Content-Type': 'application/json' } : {}) };
  const response = await fetch(path, { method, headers, cache: 'no-store', body: body && JSON.stringify(body) }).catch(() => null);
  if (!response) throw new RequestError(UNREACHABLE);
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  throw new RequestError(String(problem?.detail || `The server refused it (${response.status}).`));
}

/** The message of an error, for people. @param {unknown} error */
export function messageOf(error) {
  return error instanceof RequestError ? error.message : UNREACHABLE;
}
