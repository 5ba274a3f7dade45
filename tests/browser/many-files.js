// Measures how 300 photos are added at once: `REALTIME_PHOTO_BIN=… node many-files.js`. Run by hand, with a release build on a
// quiet machine. The server shares the processor with the browser, so frames are late while it decodes; the longest task,
// in processor time of the page's thread, is what the page itself costs a frame.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import config from './playwright.config.js';
import { Server } from './support/server.js';
import { BrowserWindow } from './support/window.js';

const COUNT = 300;
const SIZE = { width: 1600, height: 1200 };
const ROUNDS = 3;
const TIMEOUT_MS = 300_000;

const browser = await chromium.launch(config.use.launchOptions);
const folder = await mkdtemp(join(tmpdir(), 'realtime-photo-'));
const files = await draw();
const rounds = [];
for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure());
await rm(folder, { recursive: true });
await browser.close();

const result = Object.fromEntries(Object.keys(rounds[0]).map((name) => [name, median(rounds.map((each) => each[name]))]));
console.table(result);
console.log(JSON.stringify({ bench: 'many-files', count: COUNT, ...SIZE, rounds: ROUNDS, ...result }));

/** Writes photos of different content and about 100 kB. */
async function draw() {
  const page = await browser.newPage();
  const paths = [];
  for (let number = 0; number < COUNT; number += 1) {
    const base64 = await page.evaluate(({ width, height }) => {
      const canvas = Object.assign(document.createElement('canvas'), { width, height });
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      const random = (/** @type {number} */ below) => Math.floor(Math.random() * below);
      for (let shape = 0; shape < 60; shape += 1) {
        context.fillStyle = `hsl(${random(360)} ${random(90)}% ${random(100)}%)`;
        context.beginPath();
        context.ellipse(random(width), random(height), 30 + random(400), 30 + random(400), Math.random() * 3, 0, 7);
        context.fill();
      }
      return canvas.toDataURL('image/jpeg', 0.9).split(',')[1];
    }, SIZE);
    const path = join(folder, `IMG_${4000 + number}.jpg`);
    await writeFile(path, Buffer.from(base64, 'base64'));
    paths.push(path);
  }
  await page.close();
  return paths;
}

/** @returns {Promise<Record<string, number>>} */
async function measure() {
  const server = await Server.start();
  const window = await BrowserWindow.open(browser, `${server.url}/#board`, { viewport: config.use.viewport });
  const { page } = window;
  const frames = await page.evaluateHandle(() => {
    /** @type {number[]} */
    const times = [];
    const frame = (/** @type {number} */ now) => {
      times.push(now);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    return times;
  });
  const trace = join(folder, 'trace.json');
  await browser.startTracing(page, { path: trace, categories: ['toplevel'] });
  const start = performance.now();
  await page.locator('input[type=file]').first().setInputFiles(files);
  while ((await stored(server)) < COUNT) {
    if (performance.now() - start > TIMEOUT_MS) throw new Error('not all photos were stored');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const seconds = (performance.now() - start) / 1000;
  const pauses = await frames.evaluate((times) => times.slice(1).map((time, at) => time - times[at]));
  await browser.stopTracing();
  await window.context.close();
  await server.stop();
  const framesOver100Ms = pauses.filter((pause) => pause > 100).length;
  return { seconds, worstFrameMs: Math.max(...pauses), framesOver100Ms, ...tasks(await readFile(trace, 'utf8')) };
}

/**
 * @param {string} trace The trace events of a browser with one page.
 * @returns {{ longestTaskMs: number, tasksSeconds: number }} In processor time.
 */
function tasks(trace) {
  /** @type {{ traceEvents: { ph: string, name: string, pid: number, tid: number, tdur?: number, args?: { name?: string } }[] }} */
  const { traceEvents } = JSON.parse(trace);
  const threads = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const isPage = new Set(threads.map(({ pid, tid }) => `${pid}/${tid}`));
  const times = traceEvents.filter(({ ph, name, pid, tid }) => ph === 'X' && name === 'ThreadControllerImpl::RunTask' && isPage.has(`${pid}/${tid}`)).map(({ tdur }) => (tdur ?? 0) / 1000);
  return { longestTaskMs: Math.max(...times), tasksSeconds: times.reduce((sum, time) => sum + time, 0) / 1000 };
}

/** @param {Server} server */
async function stored(server) {
  const response = await fetch(`${server.url}/boards`, { headers: { accept: 'application/json' } });
  const { boards } = /** @type {{ boards: { images: number }[] }} */ (await response.json());
  return boards.reduce((sum, { images }) => sum + images, 0);
}

/** @param {number[]} numbers */
function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}
