// Windows of a real Chromium, each in a context of its own and watched for errors and for requests to other hosts.

import { expect } from '@playwright/test';
import { followActivity } from './activity.js';
import { writeFiles } from './images.js';

/** Errors that a page writes to the console when its server is killed, in the middle of a request or not. */
export const SERVER_DOWN = [/WebSocket connection to .* failed/, /ERR_CONNECTION_(RESET|REFUSED)/, /ERR_EMPTY_RESPONSE/];

/** Operations that the source of a drag allows (Chromium's `DragOperationsMask`). */
const COPY = 1;
const LINK = 2;

/**
 * The images that any window was told of as deleted. A page may still ask for one of them: the request crosses the message.
 * @type {Set<string>}
 */
const deletedImages = new Set();

export class BrowserWindow {
  /** The URLs that were requested. @type {string[]} */
  requests = [];
  /** Errors and warnings of the console, and uncaught exceptions. @type {string[]} */
  errors = [];
  /** The images that the server did not have. @type {string[]} */
  #missingImages = [];
  #isClosed = false;

  /**
   * Opens a page and waits until its feed is ready.
   * @param {import('@playwright/test').Browser} browser
   * @param {string} url
   * @param {Omit<import('../fixtures.js').OpenOptions, 'path' | 'url'>} [options]
   */
  static async open(browser, url, { prepare, expectedErrors = [], expectedHosts = [], slowMessages = false, asksName = false, ...options } = {}) {
    const context = await browser.newContext(options);
    if (!asksName) await context.addInitScript(answerName);
    await prepare?.(context);
    await followActivity(context, { slowMessages });
    const window = new BrowserWindow(context, await context.newPage(), expectedErrors, expectedHosts);
    await window.page.goto(url);
    await window.ready();
    return window;
  }

  /**
   * @param {import('@playwright/test').BrowserContext} context
   * @param {import('@playwright/test').Page} page
   * @param {RegExp[]} expectedErrors
   * @param {string[]} expectedHosts
   */
  constructor(context, page, expectedErrors, expectedHosts) {
    this.context = context;
    this.page = page;
    this.expectedErrors = expectedErrors;
    this.expectedHosts = expectedHosts;
    // Chromium hands file choosers over only while somebody listens, so the first listener must never be the last.
    page.on('filechooser', () => {});
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => {
      this.requests.push(socket.url());
      socket.on('framereceived', ({ payload }) => noteDeletion(payload));
    });
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      const missing = /status of 404/.test(message.text()) && message.location().url.match(/\/image\/([0-9a-f-]{36})/);
      if (missing) this.#missingImages.push(missing[1]);
      else this.errors.push(message.text());
    });
  }

  /** Waits until the feed has sent everything. */
  async ready() {
    await expect(this.page.locator('html')).toHaveAttribute('data-feed', 'ready');
  }

  /** Waits until the page has lost its connection. */
  async lost() {
    await expect(this.page.locator('html')).toHaveAttribute('data-feed', 'lost');
  }

  /** Waits until nothing moves on the page and nothing is scheduled that would. */
  async settled() {
    await this.page.evaluate(() => activity.whenIdle());
  }

  /** The tiles of all images near the view. */
  tiles() {
    return this.page.locator('.tile[data-id]');
  }

  /** The tile of the image with that file name. */
  tile(name) {
    return this.tiles().filter({ has: this.page.getByTitle(name, { exact: true }) });
  }

  /** The file names of the images in these tiles. */
  async namesOf(tiles) {
    return (await tiles.locator('[data-name]').evaluateAll((names) => names.map(({ title }) => title))).sort();
  }

  /** Waits until the board shows exactly the images with these file names. */
  async shows(...names) {
    await expect.poll(() => this.namesOf(this.tiles()), { message: 'names of the tiles' }).toEqual([...names].sort());
  }

  /** Waits until the tile of that name is painted in this colour, from the bytes that the server sent. */
  async paints(name, colour) {
    const painted = async () => {
      const pixel = await pixelOf(this.tile(name).locator('img'));
      // A small thumbnail is a JPEG, which may be off by one.
      return pixel?.every((value, at) => Math.abs(value - colour[at]) <= 2) ? colour : pixel;
    };
    await expect.poll(painted, { message: `colour of ${name}` }).toEqual(colour);
  }

  /**
   * Drops files the way the window system does.
   * @param {(string | { name: string, bytes: string | Uint8Array })[]} files Generated ones, or paths of files and folders.
   */
  async drop(files, x = 640, y = 400) {
    await this.#dispatchDrop({ items: [], files: await pathsOf(files), dragOperationsMask: COPY }, x, y);
  }

  /**
   * Drops what another web page or program has put into the drag, the way the window system does.
   * @param {Record<string, string>} data By MIME type.
   */
  async dropData(data, x = 640, y = 400) {
    const items = Object.entries(data).map(([mimeType, data]) => ({ mimeType, data, title: '', baseURL: 'about:blank' }));
    await this.#dispatchDrop({ items, dragOperationsMask: COPY | LINK }, x, y);
  }

  async #dispatchDrop(data, x, y) {
    const session = await this.context.newCDPSession(this.page);
    for (const type of /** @type {const} */ (['dragEnter', 'dragOver', 'drop'])) {
      await session.send('Input.dispatchDragEvent', { type, x, y, data });
    }
    await session.detach();
  }

  /** Chooses files in the picker that `act` opens. */
  async chooseAfter(act, files) {
    const [chooser] = await Promise.all([this.page.waitForEvent('filechooser'), act()]);
    await chooser.setFiles(await pathsOf(files));
    return chooser;
  }

  /** Chooses files in the picker that the button opens, which must accept several. */
  async choose(button, files) {
    const chooser = await this.chooseAfter(() => button.click(), files);
    expect(chooser.isMultiple(), 'the picker accepts several files').toBe(true);
  }

  /**
   * Pastes text into the focused element, or into the page, as if it were on the clipboard. Returns whether the page handled
   * the paste.
   * @param {Record<string, string>} data By MIME type.
   */
  pasteData(data) {
    return this.page.evaluate((data) => {
      const clipboardData = new DataTransfer();
      for (const [type, text] of Object.entries(data)) clipboardData.setData(type, text);
      const target = document.activeElement ?? document.body;
      return !target.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    }, data);
  }

  /** Pastes a PNG as if it were on the clipboard. Returns whether the page handled the paste. */
  paste({ name, bytes }) {
    return this.page.evaluate(
      ({ name, bytes }) => {
        const clipboardData = new DataTransfer();
        clipboardData.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }));
        return !document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
      },
      { name, bytes: [...bytes] },
    );
  }

  /** The box of an element on the screen as it is now, perhaps in motion. */
  async boxOf(locator) {
    const box = await locator.boundingBox();
    expect(box, `${locator} has a box`).not.toBeNull();
    return box;
  }

  /** True if a request went to this path. */
  hasRequested(path) {
    return this.requests.some((url) => new URL(url).pathname === path);
  }

  /** Closes the window. Fails if the page requested anything from another host or logged an unexpected error. */
  async close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { host } = new URL(this.page.url());
    await this.context.close();
    const hosts = [host, ...this.expectedHosts];
    const elsewhere = this.requests.filter((url) => !/^(blob|data):/.test(url) && !hosts.includes(new URL(url).host));
    expect(elsewhere, 'requests to other hosts').toEqual([]);
    const missing = this.#missingImages.filter((id) => !deletedImages.has(id)).map((id) => `status of 404: ${id}`);
    const unexpected = [...this.errors, ...missing].filter((text) => !this.expectedErrors.some((pattern) => pattern.test(text)));
    expect(unexpected, 'errors in the console').toEqual([]);
  }
}

/** @param {string | Buffer} payload */
function noteDeletion(payload) {
  if (typeof payload !== 'string' || !payload.includes('"Image:delete"')) return;
  const { event, data } = JSON.parse(payload);
  if (event === 'Image:delete') deletedImages.add(data.id);
}

/** Runs in the page: the question for the name is answered already. Pages without storage of their own ask. */
function answerName() {
  try {
    localStorage.setItem('name-asked', 'true');
  } catch {
    // about:blank, or blocked by the test.
  }
}

/** Waits until an assertion about several things at once holds. */
export function eventually(assertion) {
  return expect(assertion).toPass();
}

/** The colour near the corner of an image: red, green and blue, or null if it is not loaded. */
export async function pixelOf(image) {
  if ((await image.count()) !== 1) return null;
  return image.evaluate((/** @type {HTMLImageElement} */ element) => {
    if (!element.complete || element.naturalWidth === 0) return null;
    const canvas = document.createElement('canvas');
    canvas.width = element.naturalWidth;
    canvas.height = element.naturalHeight;
    const context = canvas.getContext('2d');
    context.drawImage(element, 0, 0);
    return [...context.getImageData(4, 4, 1, 1).data].slice(0, 3);
  });
}

async function pathsOf(files) {
  const generated = files.filter((file) => typeof file !== 'string');
  return [...files.filter((file) => typeof file === 'string'), ...(await writeFiles(...generated))];
}
