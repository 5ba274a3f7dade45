import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Window, eventually, launch } from './helpers/browser.js';
import { fill } from './helpers/filling.js';
import { picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

// For the numbers see frames.js.
const COUNT = 1_000;
const pictures = Array.from({ length: 20 }, (_, at) => picture(`${at}.png`, { width: 24, height: 16, colour: [at * 12, 90, 200 - at * 9] }));

let browser;
let server;
before(async () => {
  browser = await launch();
  server = await Server.start();
  await fill(server, pictures, COUNT);
});
after(async () => {
  await browser.close();
  await server.stop();
});

const tiles = ({ page }) => page.locator('.tile[data-id]').count();

test('of a thousand pictures only those near the view are in the document, wherever one goes', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  const { page } = window;
  await page.getByRole('button', { name: 'Actual size' }).click();
  await eventually(async () => assert.ok((await tiles(window)) < 120, `${await tiles(window)} tiles`));
  const seen = new Set();
  await page.mouse.move(640, 400);
  await page.mouse.wheel(-10_000, -6_000);
  for (let step = 0; step < 12; step += 1) {
    await page.mouse.wheel(800, 480);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    assert.ok((await tiles(window)) < 150, `${await tiles(window)} tiles`);
    for (const id of await page.locator('.tile').evaluateAll((all) => all.map(({ dataset }) => dataset.id))) seen.add(id);
  }
  assert.ok(seen.size > 150, `the way led past ${seen.size}`);
  await page.getByRole('button', { name: 'Show everything' }).click();
  await eventually(async () => assert.equal(await tiles(window), COUNT));
  await window.close();
});

test('with all thousand in view the board pans and zooms, and pictures can be moved', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  const { page } = window;
  await page.getByRole('button', { name: 'Show everything' }).click();
  await eventually(async () => assert.equal(await tiles(window), COUNT));
  const first = window.page.locator('.tile[data-id]').first();
  await eventually(async () => {
    const before = await window.boxOf(first);
    await page.waitForTimeout(300);
    assert.deepEqual(await window.boxOf(first), before);
  });
  const start = await window.boxOf(first);
  await page.mouse.move(640, 400);
  await page.mouse.wheel(-100, -50);
  await eventually(async () => {
    const { x, y } = await window.boxOf(first);
    assert.ok(Math.abs(x - start.x - 100) <= 1 && Math.abs(y - start.y - 50) <= 1, `${[x - start.x, y - start.y]}`);
  });
  const { x, y, width, height } = await window.boxOf(first);
  const id = await first.getAttribute('data-id');
  const placed = async () => (await server.images()).find((each) => each.id === id);
  const before = await placed();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2 - 30, y + height / 2, { steps: 3 });
  await page.mouse.up();
  await eventually(async () => assert.ok((await placed()).x < before.x - 100, 'it was moved'));
  await window.close();
});
