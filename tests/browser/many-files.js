// Measures how 300 photos are added at once: `REALTIME_PHOTO_BIN=… node many-files.js`. Run by hand, with a release build on a
// quiet machine. The server shares the processor with the browser, so frames are late while it decodes; the processor time of
// the page's thread is what the page itself costs.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server } from './support/server.js';
import { UnwatchedPage } from './support/unwatched.js';

const COUNT = 300;
const SIZE = { width: 1600, height: 1200 };
const VIEWPORT = { width: 1280, height: 800 };
const ROUNDS = 3;
const TIMEOUT_MS = 300_000;
/** The time that a new page has to come to rest. */
const REST_MS = 2_000;
/** The time between two looks at how many are stored. */
const LOOK_MS = 100;

const folder = await mkdtemp(join(tmpdir(), 'realtime-photo-'));
const files = await draw();
const rounds = [];
for (let round = 0; round < ROUNDS; round += 1) rounds.push(await measure());
await rm(folder, { recursive: true });

const result = Object.fromEntries(Object.keys(rounds[0]).map((name) => [name, median(rounds.map((each) => each[name]))]));
console.table(rounds);
console.log(JSON.stringify({ bench: 'many-files', count: COUNT, ...SIZE, rounds: ROUNDS, ...result }));

/** Writes photos of different content and about 100 kB. */
async function draw() {
  const page = await UnwatchedPage.open(VIEWPORT);
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
  const page = await UnwatchedPage.open(VIEWPORT);
  await page.goto(server.url);
  await page.evaluate(() => localStorage.setItem('name-asked', 'true'));
  await page.goto(`${server.url}/#board`);
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  await page.evaluate(() => {
    /** @type {number[]} */
    const times = (globalThis.noted = []);
    const frame = (/** @type {number} */ now) => {
      times.push(now);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await page.send('Performance.enable', { timeDomain: 'threadTicks' });
  const before = await tasksSeconds(page);
  const start = performance.now();
  await page.chooseFiles(files);
  while ((await stored(server)) < COUNT) {
    if (performance.now() - start > TIMEOUT_MS) throw new Error('not all photos were stored');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  const seconds = (performance.now() - start) / 1000;
  const times = await page.evaluate(() => globalThis.noted);
  const pauses = times.slice(1).map((time, at) => time - times[at]);
  const pageSeconds = (await tasksSeconds(page)) - before;
  await page.close();
  await server.stop();
  return { seconds, worstFrameMs: Math.max(...pauses), framesOver100Ms: pauses.filter((pause) => pause > 100).length, pageSeconds };
}

/** The processor time of the page's thread until now. @param {UnwatchedPage} page */
async function tasksSeconds(page) {
  const { metrics } = await page.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value;
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
