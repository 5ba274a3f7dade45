import { expect, test as base } from './fixtures.js';
import { dragMouse } from './support/board.js';
import { fill } from './support/fill.js';
import { image } from './support/images.js';
import { Server } from './support/server.js';
import { eventually } from './support/window.js';

// See frames.js for measurements.
const COUNT = 1_000;
const images = Array.from({ length: 20 }, (_, at) => image(`${at}.png`, { width: 24, height: 16, colour: [at * 12, 90, 200 - at * 9] }));

/** One server with a thousand images for all tests of this file, because filling it takes long. */
const test = base.extend(
  /** @type {any} */ ({
    filledServer: [
      async ({}, use) => {
        const server = await Server.start();
        await fill(server, images, COUNT);
        await use(server);
        await server.stop();
      },
      { scope: 'worker', timeout: 300_000 },
    ],
    server: ({ filledServer }, use) => use(filledServer),
  }),
);

test('of a thousand images only those near the view are in the document, wherever one pans', async ({ open }) => {
  const window = await open();
  const { page } = window;
  const tiles = window.tiles();
  await page.getByRole('button', { name: 'Actual size' }).click();
  await expect.poll(() => tiles.count()).toBeLessThan(200);
  const seen = new Set();
  await page.mouse.move(640, 400);
  await page.mouse.wheel(-10_000, -6_000);
  for (let step = 0; step < 12; step += 1) {
    await page.mouse.wheel(800, 480);
    await window.settled();
    const ids = await tiles.evaluateAll((all) => all.map(({ dataset }) => dataset.id));
    expect(ids.length, 'number of tiles').toBeLessThan(200);
    for (const id of ids) seen.add(id);
  }
  expect(seen.size, 'images passed on the way').toBeGreaterThan(150);
  await page.getByRole('button', { name: 'Show everything' }).click();
  await expect(tiles).toHaveCount(COUNT);
});

test('with all thousand in view the board pans and zooms, and images can be moved', async ({ server, open }) => {
  const window = await open();
  const { page } = window;
  await page.getByRole('button', { name: 'Show everything' }).click();
  await expect(window.tiles()).toHaveCount(COUNT);
  const first = window.tiles().first();
  await window.settled();
  const start = await window.boxOf(first);
  await page.mouse.move(640, 400);
  await page.mouse.wheel(-100, -50);
  await eventually(async () => {
    await window.settled();
    const { x, y } = await window.boxOf(first);
    expect(Math.abs(x - start.x - 100)).toBeLessThanOrEqual(1);
    expect(Math.abs(y - start.y - 50)).toBeLessThanOrEqual(1);
  });
  const { x, y, width, height } = await window.boxOf(first);
  const id = await first.getAttribute('data-id');
  const placement = async () => (await server.images()).find((each) => each.id === id);
  const before = await placement();
  const middle = [x + width / 2, y + height / 2];
  await dragMouse(window, middle, [middle[0] - 30, middle[1]]);
  await expect.poll(async () => (await placement()).x, { message: 'it is moved' }).toBeLessThan(before.x - 100);
});
