// Measures frames of the board and the album: `REALTIME_PHOTO_BIN=… node frames.js [number of images] [folder of images]`.
// Run by hand, with a release build on a quiet machine.

import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import config from './playwright.config.js';
import { fill } from './support/fill.js';
import { image } from './support/images.js';
import { Server } from './support/server.js';
import { BrowserWindow } from './support/window.js';

const COUNT = Number(process.argv[2] ?? 10_000);
const FRAMES = 150;

const folder = process.argv[3];
const images = folder
  ? await Promise.all((await readdir(folder)).map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })))
  : Array.from({ length: 40 }, (_, at) => image(`${at}.png`, { width: 512, height: 340, colour: [at * 6, 90, 160 - at * 3] }));

const server = await Server.start();
const browser = await chromium.launch(config.use.launchOptions);
await fill(server, images, COUNT);
const window = await BrowserWindow.open(browser, `${server.url}/#board`, { viewport: config.use.viewport });
const { page } = window;

/**
 * Turns the wheel on the board, or scrolls the album, once in every frame, and prints the times between frames.
 * @param {string} name
 * @param {{ x: number, y: number, zoom?: boolean, album?: boolean }} step
 */
async function measure(name, step) {
  const times = await page.evaluate(
    ([frames, step]) =>
      /** @type {Promise<number[]>} */ (
        new Promise((resolve) => {
          const surface = /** @type {HTMLElement} */ (document.querySelector('#surface'));
          const album = /** @type {HTMLElement} */ (document.querySelector('#album-view'));
          const act = (/** @type {number} */ way) => {
            if (step.album) return album.scrollBy(0, step.y * way);
            const options = { clientX: 640, clientY: 400, bubbles: true, cancelable: true, ctrlKey: step.zoom };
            surface.dispatchEvent(new WheelEvent('wheel', { ...options, deltaX: step.x * way, deltaY: step.y * way }));
          };
          /** @type {number[]} */
          const times = [];
          const frame = (/** @type {number} */ now) => {
            times.push(now);
            act(times.length < frames / 2 ? 1 : -1);
            if (times.length <= frames) requestAnimationFrame(frame);
            else resolve(times.slice(1).map((time, at) => time - times[at]));
          };
          requestAnimationFrame(frame);
        })
      ),
    /** @type {const} */ ([FRAMES, step]),
  );
  const sorted = times.sort((a, b) => a - b);
  const part = (/** @type {number} */ share) => sorted[Math.floor(share * (sorted.length - 1))].toFixed(1).padStart(7);
  const [shown, all] = await page.evaluate(() => [document.querySelectorAll('.tile, .photo[data-id]').length, document.querySelectorAll('*').length]);
  console.log(`${name.padEnd(28)} median ${part(0.5)} ms  p95 ${part(0.95)} ms  worst ${part(1)} ms  ${shown} photos in the page, ${all} elements`);
}

/** Waits until the board is at rest and every image in view is loaded. */
async function settled() {
  await window.settled();
  await page.waitForFunction(() =>
    [.../** @type {NodeListOf<HTMLImageElement>} */ (document.querySelectorAll('.tile img, .photo img'))].every((image) => {
      const { left, top, right, bottom } = image.getBoundingClientRect();
      const isSeen = right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
      return !isSeen || (image.complete && image.naturalWidth > 0);
    }), null, { timeout: 120_000 });
  await window.settled();
}

await page.getByRole('button', { name: 'Actual size' }).click();
await settled();
await measure('100 %: panning', { x: 24, y: 12 });
await measure('100 %: panning fast', { x: 120, y: 60 });
await measure('100 %: zooming', { x: 0, y: 3, zoom: true });
await page.goto(`${server.url}/#album`);
await page.reload();
await page.getByText(`${COUNT} photos`, { exact: true }).waitFor();
await settled();
await measure('album: scrolling', { x: 0, y: 24, album: true });
await measure('album: scrolling fast', { x: 0, y: 400, album: true });
await measure('album: a screen a frame', { x: 0, y: 800, album: true });

await page.goto(`${server.url}/#board`);
await page.reload();
await page.locator('html[data-feed=ready]').waitFor();
await page.getByRole('button', { name: 'Show everything' }).click();
await settled();
await measure('all in view: standing', { x: 0, y: 0 });
await measure('all in view: panning', { x: 4, y: 2 });
await measure('all in view: zooming', { x: 0, y: -3, zoom: true });

await window.close();
await browser.close();
await server.stop();
