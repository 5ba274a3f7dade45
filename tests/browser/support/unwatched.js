// A page of Chromium that nothing watches. Playwright follows every request and every frame of a socket, which takes a fifth of the
// processor while hundreds of photos are added.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import config from '../playwright.config.js';

/** Messages on the pipe end with this byte (`--remote-debugging-pipe`). */
const END = '\0';

export class UnwatchedPage {
  #process;
  #profile;
  #session = '';
  #last = 0;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #waiting = new Map();

  /**
   * Starts a Chromium with one page of this size.
   * @param {{ width: number, height: number }} viewport
   */
  static async open({ width, height }) {
    const profile = await mkdtemp(join(tmpdir(), 'realtime-photo-profile-'));
    const { executablePath, args } = /** @type {{ executablePath: string, args: string[] }} */ (config.use?.launchOptions);
    const options = ['--headless', '--remote-debugging-pipe', `--user-data-dir=${profile}`, `--window-size=${width},${height}`];
    const child = spawn(executablePath, [...args, ...options], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const page = new UnwatchedPage(child, profile);
    const { targetId } = await page.send('Target.createTarget', { url: 'about:blank' });
    page.#session = (await page.send('Target.attachToTarget', { targetId, flatten: true })).sessionId;
    return page;
  }

  /**
   * @param {import('node:child_process').ChildProcess} child
   * @param {string} profile
   */
  constructor(child, profile) {
    this.#process = child;
    this.#profile = profile;
    let text = '';
    /** @type {import('node:stream').Readable} */ (child.stdio[4]).setEncoding('utf8').on('data', (part) => {
      const messages = (text + part).split(END);
      text = /** @type {string} */ (messages.pop());
      for (const message of messages) this.#receive(JSON.parse(message));
    });
  }

  /** @param {{ id?: number, result?: any, error?: { message: string } }} message */
  #receive({ id = 0, result, error }) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  /**
   * Sends a command of the DevTools protocol.
   * @param {string} method
   * @param {object} [params]
   * @returns {Promise<any>} The result of the command.
   */
  send(method, params = {}) {
    const id = (this.#last += 1);
    const message = { id, method, params, ...(this.#session && { sessionId: this.#session }) };
    /** @type {import('node:stream').Writable} */ (this.#process.stdio[3]).write(JSON.stringify(message) + END);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Opens an address, and waits until the feed has sent everything. @param {string} url */
  async goto(url) {
    await this.send('Page.navigate', { url });
    await this.until(() => document.documentElement?.dataset.feed === 'ready');
  }

  /** Waits until a condition holds in the page. @param {() => boolean} condition */
  async until(condition) {
    while (!(await this.evaluate(condition))) await new Promise((resolve) => setTimeout(resolve, 200));
  }

  /**
   * Calls a function in the page, which may return a promise.
   * @template Argument, Result
   * @param {(argument: Argument) => Result} action
   * @param {Argument} [argument]
   * @returns {Promise<Awaited<Result>>}
   */
  async evaluate(action, argument) {
    const expression = `(${action})(${JSON.stringify(argument) ?? ''})`;
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /**
   * Chooses files in the first field for files.
   * @param {string[]} files Paths.
   */
  async chooseFiles(files) {
    const { result } = await this.send('Runtime.evaluate', { expression: 'document.querySelector("input[type=file]")' });
    await this.send('DOM.setFileInputFiles', { files, objectId: result.objectId });
  }

  /** Ends the Chromium. */
  async close() {
    const exited = once(this.#process, 'exit');
    void this.send('Browser.close');
    await exited;
    // Its processes still write for a moment.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }
}
