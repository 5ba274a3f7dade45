// Measures how a board of 1,500 photos opens on a slow line: `REALTIME_PHOTO_BIN=… node slow-line.js [--data FOLDER]`. Run by
// hand, with a release build. With `--data` the board is kept in a folder and used again.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import config from './playwright.config.js';
import { Server } from './support/server.js';
import { slowLine } from './support/slow-line.js';

const COUNT = 1500;
const ROUNDS = 3;
const LINE = { kbits: 400, delayMs: 75 };
const TIMEOUT_MS = 120_000;

const at = process.argv.indexOf('--data');
const kept = at < 0 ? null : process.argv[at + 1];
const server = new Server(kept ?? (await mkdtemp(join(tmpdir(), 'realtime-photo-'))), [], '127.0.0.1:0');
await server.start();
const browser = await chromium.launch(config.use.launchOptions);
await fill();

const rounds = [];
for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure());
console.table(rounds);
console.log(JSON.stringify({ bench: 'slow-line', ...LINE, count: COUNT, rounds }));
await browser.close();
if (kept) await server.kill();
else await server.stop();

/** Uploads photos of different content, drawn in the browser, and lets the server lay them out. */
async function fill() {
  const page = await browser.newPage();
  // Any document of the server in which a script may make requests.
  await page.goto(`${server.url}/static/js/ui/base.css`);
  await page.evaluate(async (count) => {
    const { boards } = await (await fetch('/boards', { headers: { accept: 'application/json' } })).json();
    const there = boards.reduce((/** @type {number} */ sum, /** @type {{ images: number }} */ { images }) => sum + images, 0);
    const random = (/** @type {number} */ below) => Math.floor(Math.random() * below);
    let next = there;
    const work = async () => {
      for (let number = next++; number < count; number = next++) await add(number);
    };
    const add = async (/** @type {number} */ number) => {
      const [width, height] = [[640, 427], [427, 640], [640, 480]][random(3)];
      const canvas = new OffscreenCanvas(width, height);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
      for (let shape = 0; shape < 12; shape += 1) {
        context.fillStyle = `hsl(${random(360)} ${random(90)}% ${random(100)}% / ${0.3 + Math.random() / 2})`;
        context.beginPath();
        context.ellipse(random(width), random(height), 40 + random(width / 2), 40 + random(height / 3), Math.random() * 3, 0, 7);
        context.fill();
      }
      const form = new FormData();
      form.append('author', ['Ada', 'Grace', 'Mary', 'Edsger'][random(4)]);
      form.append('file', await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 }), `IMG_${4000 + number}.jpg`);
      const { status } = await fetch('/image', { method: 'POST', body: form });
      if (status !== 201) throw new Error(`${status}`);
    };
    await Promise.all(Array.from({ length: 6 }, work));
  }, COUNT);
  await page.close();
}

/** Opens the board once in a new browser on a new line. */
async function measure() {
  const line = await slowLine(server.url, LINE);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.addInitScript(watch);
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  let code = 0;
  let requests = 0;
  const types = new Map();
  session.on('Network.responseReceived', ({ requestId, type }) => types.set(requestId, type));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (!['Document', 'Script', 'Stylesheet'].includes(types.get(requestId))) return;
    code += encodedDataLength;
    requests += 1;
  });
  await page.goto(line.url, { timeout: TIMEOUT_MS, waitUntil: 'commit' });
  await page.waitForFunction(() => globalThis.marks?.thumbnails && globalThis.marks?.records, null, { timeout: TIMEOUT_MS });
  const marks = await page.evaluate(() => globalThis.marks);
  const seconds = (/** @type {number} */ ms) => Math.round(ms / 10) / 100;
  const kB = (/** @type {number} */ bytes) => Math.round(bytes / 100) / 10;
  const result = {
    'first paint, s': seconds(marks.paint),
    'first shapes, s': seconds(marks.shapes),
    'first thumbnail, s': seconds(marks.thumbnail),
    '12 thumbnails in view, s': seconds(marks.thumbnails),
    'all records, s': seconds(marks.records),
    'socket, kB': kB(line.received.get('/ws') ?? 0),
    'page code, kB': kB(code),
    'page code, requests': requests,
  };
  await context.close();
  line.close();
  return result;
}

/** Runs in the page: notes when something is first seen. */
function watch() {
  const marks = (globalThis.marks = { paint: 0, shapes: 0, thumbnail: 0, thumbnails: 0, records: 0 });
  const inView = (/** @type {Element} */ element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
  };
  const note = (/** @type {keyof typeof marks} */ name, /** @type {boolean} */ isThere) => {
    if (isThere) marks[name] ||= performance.now();
  };
  const look = () => {
    const tiles = [...document.querySelectorAll('.tile')];
    const loaded = marks.thumbnails ? [] : tiles.filter((tile) => tile.classList.contains('is-loaded') && inView(tile));
    note('paint', performance.getEntriesByName('first-contentful-paint').length > 0);
    note('shapes', tiles.some(inView));
    note('thumbnail', loaded.length > 0);
    note('thumbnails', loaded.length >= 12);
    note('records', document.documentElement?.dataset.feed === 'ready');
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
