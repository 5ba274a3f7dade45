import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch } from './helpers/browser.js';
import { fill } from './helpers/filling.js';
import { picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const COUNT = 1_000;
/** What fits into the view and a margin around it, with room to spare. */
const NEAR = 300;

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

test('of a thousand pictures only those near the view are in the document, wherever one pans', async () => {
  const small = Array.from({ length: 10 }, (_, at) => picture(`${at}.png`, { width: 24, height: 16, colour: [at * 20, 90, 120] }));
  await fill(server, small, COUNT);
  const window = await Window.open(browser, `${server.url}/`);
  const { page } = window;
  const tiles = page.locator('.tile');
  await page.getByRole('button', { name: 'Show everything' }).click();
  await eventually(async () => assert.equal(await tiles.count(), COUNT));
  await page.getByRole('button', { name: 'Actual size' }).click();
  await eventually(async () => assert.ok((await tiles.count()) < NEAR, `${await tiles.count()} of ${COUNT}`));
  const near = () => page.locator('.tile[data-id]').evaluateAll((all) => all.map((tile) => tile.dataset.id));
  const before = new Set(await near());
  await page.mouse.move(640, 400);
  for (let step = 0; step < 5; step += 1) await page.mouse.wheel(800, 300);
  await eventually(async () => {
    const now = await near();
    assert.ok(now.length > 0 && now.length < NEAR, `${now.length} of ${COUNT}`);
    // Those that keyboard and pointer are on stay.
    const left = now.filter((id) => before.has(id)).length;
    assert.ok(left <= 3, `${left} of ${now.length} were left behind`);
  });
  await window.close();
});

test('a tile shows its thumbnail, and all of the picture once it is shown larger than that', async () => {
  const { id } = await server.upload(picture('wide.png', { width: 1_400, height: 900, colour: [20, 120, 90] }), { x: -100, y: -60, w: 200 });
  const window = await Window.open(browser, `${server.url}/`);
  const image = window.picture('wide.png').locator('img').last();
  const shows = (path) => eventually(async () => assert.equal(new URL(await image.evaluate((img) => img.currentSrc)).pathname, path));
  await shows(`/image/${id}/thumb`);
  await window.page.mouse.move(640, 400);
  await window.page.keyboard.down('Control');
  for (let step = 0; step < 12; step += 1) await window.page.mouse.wheel(0, -100);
  await window.page.keyboard.up('Control');
  await shows(`/image/${id}`);
  await window.close();
});

test('the whole board can be taken along as a ZIP, and an empty one cannot', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  const link = window.page.getByRole('link', { name: 'Download all pictures' });
  await link.waitFor({ state: 'hidden' });
  await server.upload(picture('red.png', { colour: [190, 40, 40] }), { x: 0, y: 0, w: 200 });
  const [download] = await Promise.all([window.page.waitForEvent('download'), link.click()]);
  assert.match(download.suggestedFilename(), /^board-\d{4}-\d\d-\d\d\.zip$/);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  assert.equal(bytes.subarray(0, 4).toString('latin1'), 'PK\x03\x04');
  assert.ok(bytes.includes('red.png'));
  await window.close();
});
