// Windows in a real Chromium: each a person of its own, watched for errors and for requests to elsewhere.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const PATIENCE_MS = 15_000;

/** @param {string[]} [flags] */
export function launch(flags = []) {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags] });
}

/** A window that was opened, and everything that went wrong in it. */
export class Window {
  /** Every address that was asked for. @type {string[]} */
  requests = [];
  /** Errors and warnings of the console, and exceptions. @type {string[]} */
  complaints = [];

  /**
   * @param {import('playwright-core').Browser} browser
   * @param {string} url
   * @param {object} [options] Of the context; and `prepare`, which is done to it before the page is opened.
   */
  static async open(browser, url, { prepare, ...options } = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    await prepare?.(context);
    const window = new Window(context, await context.newPage());
    await window.page.goto(url);
    await window.ready();
    return window;
  }

  constructor(context, page) {
    this.context = context;
    this.page = page;
    // Whoever listens from the beginning misses none: the browser is told to hand choosers over only while one does.
    page.on('filechooser', () => {});
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.requests.push(socket.url()));
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
  }

  /** The feed has named everything. */
  ready() {
    return this.page.locator('html[data-feed=ready]').waitFor();
  }

  /** The picture of that name: there when it is shown, with its pixels. */
  picture(name) {
    return this.page.locator('.tile[data-id]').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  /** Waits until exactly these pictures are there, by name. */
  async shows(...names) {
    const found = () => this.page.locator('.tile[data-id] [data-name]').allTextContents();
    await eventually(async () => assert.deepEqual((await found()).sort(), [...names].sort()));
  }

  /** Waits until a picture is painted in this colour, from the bytes that the server has. */
  async paints(name, colour) {
    await eventually(async () => assert.deepEqual(await pixelOf(this.picture(name).locator('img')), colour));
  }

  /** Drops real files, as the window system does. */
  async drop(paths, x = 640, y = 400) {
    const session = await this.context.newCDPSession(this.page);
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x, y, data });
    await session.detach();
  }

  /** Chooses files in the picker that the button opens. */
  async choose(button, paths) {
    const [chooser] = await Promise.all([this.page.waitForEvent('filechooser'), button.click()]);
    assert.ok(chooser.isMultiple(), 'the picker takes several files');
    await chooser.setFiles(paths);
  }

  /** Where an element is on the screen. */
  async boxOf(locator) {
    const box = await locator.boundingBox();
    assert.ok(box, 'it is on the page');
    return box;
  }

  /**
   * Closes it. Nothing was asked for elsewhere, and nothing complained.
   * @param {RegExp[]} expected What had to be complained about.
   */
  async close(expected = []) {
    const { host } = new URL(this.page.url());
    await this.context.close();
    const elsewhere = this.requests.filter((url) => !/^(blob|data):/.test(url) && new URL(url).host !== host);
    assert.deepEqual(elsewhere, [], 'requests to elsewhere');
    const unexpected = this.complaints.filter((text) => !expected.some((pattern) => pattern.test(text)));
    assert.deepEqual(unexpected, [], 'complaints in the console');
  }
}

/** Waits until an assertion holds, and otherwise fails with what it said last. */
export async function eventually(assertion) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

/** The colour in a corner of an image that is loaded; null if it is not. */
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
