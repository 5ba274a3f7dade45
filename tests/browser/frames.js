// Measures frames with 1,000 images on the board: `node frames.js [folder of images]`. Run by hand, on a quiet machine.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import config from './playwright.config.js';
import { fill } from './support/fill.js';
import { image } from './support/images.js';
import { Server } from './support/server.js';
import { BrowserWindow } from './support/window.js';

const COUNT = 1000;
const FRAMES = 150;

const folder = process.argv[2];
const images = folder
  ? await Promise.all((await readdir(folder)).map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })))
  : Array.from({ length: 40 }, (_, at) => image(`${at}.png`, { width: 512, height: 340, colour: [at * 6, 90, 160 - at * 3] }));

const server = await Server.start();
const browser = await chromium.launch(config.use.launchOptions);
await fill(server, images, COUNT);
const window = await BrowserWindow.open(browser, `${server.url}/`, { viewport: config.use.viewport });
const { page } = window;

/** Turns the wheel once in every frame, and prints the times between frames. */
function measure(name, step) {
  return page.evaluate(
    ([frames, step]) =>
      new Promise((resolve) => {
        const surface = document.querySelector('#surface');
        const times = [];
        const frame = (now) => {
          times.push(now);
          const way = times.length < frames / 2 ? 1 : -1;
          const options = { clientX: 640, clientY: 400, bubbles: true, cancelable: true, ctrlKey: step.zoom };
          surface.dispatchEvent(new WheelEvent('wheel', { ...options, deltaX: step.x * way, deltaY: step.y * way }));
          if (times.length <= frames) requestAnimationFrame(frame);
          else resolve(times.slice(1).map((time, at) => time - times[at]));
        };
        requestAnimationFrame(frame);
      }),
    [FRAMES, step],
  ).then(async (times) => {
    const sorted = times.sort((a, b) => a - b);
    const part = (share) => sorted[Math.floor(share * (sorted.length - 1))].toFixed(1).padStart(7);
    const [tiles, all] = await page.evaluate(() => [document.querySelectorAll('.tile').length, document.querySelectorAll('*').length]);
    console.log(`${name.padEnd(28)} median ${part(0.5)} ms  p95 ${part(0.95)} ms  worst ${part(1)} ms  ${tiles} tiles, ${all} elements`);
  });
}

/** Waits until the board is at rest and every image in view is loaded. */
async function settled() {
  await window.settled();
  await page.waitForFunction(() =>
    [.../** @type {NodeListOf<HTMLImageElement>} */ (document.querySelectorAll('.tile img'))].every((image) => {
      const { left, top, right, bottom } = image.getBoundingClientRect();
      const isSeen = right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
      return !isSeen || (image.complete && image.naturalWidth > 0);
    }), null, { timeout: 120_000 });
  await window.settled();
}

await page.getByRole('button', { name: 'Actual size' }).click();
await settled();
await measure('100 %: panning', { x: 24, y: 12, zoom: false });
await measure('100 %: panning fast', { x: 120, y: 60, zoom: false });
await measure('100 %: zooming', { x: 0, y: 3, zoom: true });
await page.getByRole('button', { name: 'Show everything' }).click();
await settled();
await measure('all in view: standing', { x: 0, y: 0, zoom: false });
await measure('all in view: panning', { x: 4, y: 2, zoom: false });
await measure('all in view: zooming', { x: 0, y: -3, zoom: true });

await window.close();
await browser.close();
await server.stop();
