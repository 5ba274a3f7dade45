// The real binary, on a free port and with a data folder of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const BINARY =
  process.env.REALTIME_PHOTO_BIN ?? fileURLToPath(new URL('../../../target/debug/realtime-photo', import.meta.url));
/** The secret of the administrator, for servers that are started with it: they need links. */
export const ADMIN_TOKEN = 'browser-tests-administrator';
/** Options of a server whose boards need links. */
export const NEEDS_LINKS = ['--admin-token', ADMIN_TOKEN];
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

export class Server {
  #data;
  #options;
  #process;
  #listen;
  /** Everything that it has written to standard error. */
  log = '';
  /** The base URL, without a slash at the end. */
  url = '';

  /**
   * Starts a server on an empty data folder.
   * @param {{ options?: string[], listen?: string }} [settings] `options` are further command line arguments.
   */
  static async start({ options = [], listen = '127.0.0.1:0' } = {}) {
    const server = new Server(await mkdtemp(join(tmpdir(), 'realtime-photo-')), options, listen);
    await server.start();
    return server;
  }

  constructor(data, options, listen) {
    this.#data = data;
    this.#options = options;
    this.#listen = listen;
  }

  /** Starts it, or starts it again with the same data on the same port. */
  async start() {
    const { RETHINKDB_URL: _, ...env } = process.env;
    const child = spawn(BINARY, ['--listen', this.#listen, '--data', this.#data, ...this.#options], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    child.stderr.on('data', (text) => (this.log += text));
    this.url = await this.#readAddress(child);
    this.#listen = new URL(this.url).host;
  }

  /** Kills it without warning, as a power failure does. */
  async kill() {
    this.#process.kill('SIGKILL');
    await this.#exited();
  }

  /** Stops it in order and removes its data. Fails if it does not end. */
  async stop() {
    let isStuck = false;
    const timer = setTimeout(() => {
      isStuck = true;
      this.#process.kill('SIGKILL');
    }, STOP_TIMEOUT_MS);
    this.#process.kill('SIGTERM');
    await this.#exited();
    clearTimeout(timer);
    await rm(this.#data, { recursive: true, force: true });
    if (isStuck) throw new Error(`the server did not stop within ${STOP_TIMEOUT_MS} ms\n${this.log}`);
  }

  async #exited() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }

  /** The first address that it prints. */
  #readAddress(child) {
    return new Promise((resolve, reject) => {
      let output = '';
      const fail = (reason) => reject(new Error(`${BINARY} ${reason}\n${output}${this.log}`));
      const timer = setTimeout(() => fail('printed no address'), START_TIMEOUT_MS);
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code) => fail(`exited with ${code}`));
      child.stdout.on('data', (text) => {
        output += text;
        const found = output.match(/http:\/\/[^\s/]+(?=[\s/])/);
        if (!found) return;
        clearTimeout(timer);
        resolve(found[0]);
      });
    });
  }

  /**
   * Stores an image without a page. Returns its record.
   * @param {{ name: string, bytes: Uint8Array }} image
   * @param {Record<string, string | number>} [fields] Of the form, such as `x`, `y`, `w`, `author`.
   * @param {string} [board]
   */
  async upload(image, fields = {}, board = 'main') {
    const form = new FormData();
    for (const [key, value] of Object.entries(fields)) form.append(key, String(value));
    form.append('file', new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (image.bytes)]), image.name);
    return JSON.parse(await this.#request('POST', `/image?${on(board)}`, 201, new Response(form)));
  }

  /** @param {string} id */
  async delete(id) {
    await this.#request('DELETE', `/image/${id}`, 204);
  }

  /** The records of all images, the latest first. */
  async images(board = 'main') {
    return JSON.parse(await this.#request('GET', `/images?limit=1000&${on(board)}`, 200)).images;
  }

  /** Makes a board. Returns it with its links for the host and for guests. @param {string} title */
  async makeBoard(title) {
    return JSON.parse(await this.#request('POST', '/boards', 201, Response.json({ title })));
  }

  /**
   * Makes a link to a board. Returns it with its address.
   * @param {'view' | 'add' | 'edit' | 'host'} role
   * @param {string} [board]
   * @param {{ name?: string, expiresAt?: string }} [options]
   */
  async makeLink(role, board = 'main', options = {}) {
    return JSON.parse(await this.#request('POST', `/boards/${board}/links`, 201, Response.json({ role, ...options })));
  }

  /** A board as an administrator sees it. */
  async board(board = 'main') {
    return JSON.parse(await this.#request('GET', `/boards/${board}`, 200));
  }

  /** @param {{ title?: string, locked?: boolean, moderated?: boolean }} settings */
  async changeBoard(settings, board = 'main') {
    await this.#request('PATCH', `/boards/${board}`, 200, Response.json(settings));
  }

  /** @param {string} link Its id. */
  async revoke(link, board = 'main') {
    await this.#request('DELETE', `/boards/${board}/links/${link}`, 204);
  }

  async deleteBoard(board) {
    await this.#request('DELETE', `/boards/${board}`, 204);
  }

  /**
   * Sends a request on a connection of its own: the server closes idle ones after five seconds, perhaps just when `fetch`
   * begins to use one again. Returns the body of the response.
   * @param {string} method
   * @param {string} path
   * @param {number} status The status that the response must have.
   * @param {Response} [body] Encodes the body and its type.
   * @returns {Promise<string>}
   */
  async #request(method, path, status, body) {
    const bytes = body ? Buffer.from(await body.arrayBuffer()) : undefined;
    const type = body?.headers.get('content-type');
    const headers = {
      ...(type ? { 'content-type': type } : {}),
      ...(this.#options.includes('--admin-token') ? { authorization: `Bearer ${ADMIN_TOKEN}` } : {}),
    };
    const response = await new Promise((resolve, reject) => {
      const sent = request(this.url + path, { method, headers, agent: false }, resolve);
      sent.on('error', reject);
      sent.end(bytes);
    });
    const received = await text(response);
    if (response.statusCode !== status) throw new Error(`${response.statusCode}: ${received}`);
    return received;
  }

  /** The record of the image of that name. */
  async image(fileName) {
    return (await this.images()).find((image) => image.fileName === fileName);
  }
}

/** The query that names a board. @param {string} board */
function on(board) {
  return board === 'main' ? '' : `board=${board}`;
}
