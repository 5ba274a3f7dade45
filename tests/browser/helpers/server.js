// Starts the real binary, on a free port and with a data folder of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BINARY =
  process.env.REALTIME_PHOTO_BIN ?? fileURLToPath(new URL('../../../target/debug/realtime-photo', import.meta.url));
const START_MS = 30_000;

export class Server {
  #data;
  #options;
  #process;
  #listen = '127.0.0.1:0';
  #log = '';
  /** Where it can be opened, without a slash at the end. */
  url = '';

  /** @param {...string} options Further ones of the command line. */
  static async start(...options) {
    const server = new Server(await mkdtemp(join(tmpdir(), 'realtime-photo-')), options);
    await server.start();
    return server;
  }

  /** One that others in the network can reach. */
  static async startForAll() {
    const server = new Server(await mkdtemp(join(tmpdir(), 'realtime-photo-')), []);
    server.#listen = '0.0.0.0:0';
    await server.start();
    return server;
  }

  constructor(data, options) {
    this.#data = data;
    this.#options = options;
  }

  /** Starts it, or starts it again: with the same data, on the same port. */
  async start() {
    const { RETHINKDB_URL: _, ...env } = process.env;
    const child = spawn(BINARY, ['--listen', this.#listen, '--data', this.#data, ...this.#options], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    child.stderr.on('data', (text) => (this.#log += text));
    this.url = await this.#address(child);
    this.#listen = new URL(this.url).host;
  }

  /** As if the machine had lost its power. */
  async kill() {
    this.#process.kill('SIGKILL');
    await this.#ended();
  }

  async stop() {
    this.#process.kill('SIGTERM');
    await this.#ended();
    await rm(this.#data, { recursive: true, force: true });
  }

  async #ended() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }

  /** The first address that it prints. */
  #address(child) {
    return new Promise((resolve, reject) => {
      let output = '';
      const fail = (why) => reject(new Error(`${BINARY} ${why}\n${output}${this.#log}`));
      const timer = setTimeout(() => fail('printed no address'), START_MS);
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code) => fail(`ended with ${code}`));
      child.stdout.on('data', (text) => {
        output += text;
        const found = output.match(/http:\/\/[^\s/]+(?=[\s/])/);
        if (!found) return;
        clearTimeout(timer);
        resolve(found[0]);
      });
    });
  }

  /** An image, past every page. */
  async upload(picture, fields = {}) {
    const form = new FormData();
    for (const [key, value] of Object.entries(fields)) form.append(key, String(value));
    form.append('file', new Blob([picture.bytes]), picture.name);
    const response = await fetch(`${this.url}/image`, { method: 'POST', body: form });
    if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
    return response.json();
  }

  async delete(id) {
    const response = await fetch(`${this.url}/image/${id}`, { method: 'DELETE' });
    if (response.status !== 204) throw new Error(`${response.status}: ${await response.text()}`);
  }

  /** All that the database holds. */
  async images() {
    const response = await fetch(`${this.url}/images?limit=1000`);
    return (await response.json()).images;
  }
}
