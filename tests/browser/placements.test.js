import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from './fixtures.js';
import { photoIn } from './support/album.js';
import { settledBox } from './support/board.js';
import { image, writeFiles } from './support/images.js';
import { Server } from './support/server.js';
import { PHONE } from './support/touch.js';
import { eventually } from './support/window.js';

const SHAPES = [[400, 300], [300, 400], [480, 270], [270, 600], [320, 320], [32, 32], [900, 90]];

/** Photos of several shapes, each with its own colour. */
function photos(person, count) {
  return Array.from({ length: count }, (_, number) => {
    const [width, height] = SHAPES[number % SHAPES.length];
    return image(`${person} ${number}.png`, { width, height, colour: [60 * person + 10, 8 * number, 250 - 8 * number] });
  });
}

/** The box at which a record is shown. */
function boxOf({ x, y, w, width, height }) {
  return { x, y, w, h: w * Math.min(3, Math.max(1 / 4, height / width)) };
}

/** The first pair of boxes that overlap by more than rounding. */
function overlapOf(boxes) {
  for (const [at, a] of boxes.entries()) {
    const other = boxes.slice(0, at).find((b) => a.x + 0.1 < b.x + b.w && b.x + 0.1 < a.x + a.w && a.y + 0.1 < b.y + b.h && b.y + 0.1 < a.y + a.h);
    if (other) return [a, other];
  }
  return null;
}

test('four people who add thirty photos each at the same time cover no photo', async ({ server, open }) => {
  test.setTimeout(240_000);
  const windows = [await open(), await open(), await open(), await open()];
  await Promise.all(windows.map((window, person) => window.choose(window.page.getByRole('button', { name: 'Choose photos' }), photos(person, 30))));
  await expect.poll(async () => (await server.images()).length, { timeout: 120_000 }).toBe(120);
  await eventually(async () => expect(overlapOf((await server.images()).map(boxOf))).toBeNull());
  const images = await server.images();
  for (const { width, w } of images) expect(w, 'no photo is enlarged').toBeLessThanOrEqual(Math.max(16, width) + 0.01);
  const boxes = images.map(boxOf);
  const [width, height] = [Math.max(...boxes.map(({ x, w }) => x + w)), Math.max(...boxes.map(({ y, h }) => y + h))];
  expect(Math.min(...boxes.map(({ x }) => x)), 'it starts at the origin').toBe(0);
  expect(width / height, 'the whole has about the shape of a screen').toBeGreaterThan(1.1);
  expect(width / height, 'the whole has about the shape of a screen').toBeLessThan(2.3);
  for (const { page } of windows) {
    await expect(page.locator('.placeholder')).toHaveCount(0);
    await expect(page.locator('#uploads')).toBeHidden();
    await page.getByRole('button', { name: 'Show everything' }).click();
    await expect.poll(() => page.locator('.tile[data-id]').count()).toBe(120);
  }
});

/** Waits until this many images are on the board, none of which overlaps another. */
async function areApart(server, count) {
  await expect.poll(async () => (await server.images()).length, { timeout: 180_000 }).toBe(count);
  // The last row may still be moved together.
  await eventually(async () => expect(overlapOf((await server.images()).map(boxOf))).toBeNull());
}

/** Writes images to a folder of their own. */
async function folderOf(images) {
  const [path] = await writeFiles(...images);
  return dirname(path);
}

test('photos that come in every way at the same time cover no photo', async ({ server, open }) => {
  // The button of an empty board would go with the first photo of somebody else.
  await server.upload(photos(4, 1)[0]);
  const [picking, dropping, pasting, phone] = [await open(), await open(), await open(), await open(PHONE)];
  const [dropped, seeded] = [await folderOf(photos(1, 12)), await folderOf(photos(2, 12))];
  const script = fileURLToPath(new URL('../../scripts/seed.sh', import.meta.url));
  const seed = async () => {
    const child = spawn('bash', [script, '-u', server.url, seeded], { stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual([0, null]);
  };
  const paste = async () => {
    for (const each of photos(3, 6)) await pasting.paste(each);
  };
  await Promise.all([
    picking.choose(picking.page.getByRole('button', { name: 'Add photos' }), photos(0, 12)),
    dropping.drop([dropped], 700, 300).then(() => dropping.drop(photos(4, 3).slice(2), 640, 420)),
    paste(),
    phone.chooseAfter(() => phone.page.getByRole('button', { name: 'Take a photo' }).tap(), photos(4, 2).slice(1)),
    seed(),
  ]);
  await areApart(server, 1 + 12 + 12 + 1 + 6 + 1 + 12);
});

test('photos that come by two servers of one database cover no photo', async ({ open }) => {
  test.setTimeout(400_000);
  const database = `127.0.0.1:${await freePort()}`;
  const first = await Server.start({ options: ['--reql-listen', database] });
  const second = await Server.start({ options: ['--rethinkdb', `rethinkdb://${database}/realtime_photo`] });
  try {
    await addToBoth(first, second, open);
  } finally {
    await second.stop();
    await first.stop();
  }
});

async function addToBoth(first, second, open) {
  await first.upload(photos(4, 1)[0]);
  const windows = [await open({ url: `${first.url}/` }), await open({ url: `${second.url}/` })];
  const byHand = windows.map((window, person) => window.choose(window.page.getByRole('button', { name: 'Add photos' }), photos(person, 30)));
  const byScript = [first, second].map(async (server, person) => {
    const images = photos(2 + person, 100);
    const upload = async () => {
      for (let next = images.pop(); next; next = images.pop()) await server.upload(next);
    };
    await Promise.all([upload(), upload(), upload()]);
  });
  await Promise.all([...byHand, ...byScript]);
  await areApart(first, 261);
  for (const window of windows) await window.close();
}

/** A port that nobody listens on. */
async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (listener.address());
  listener.close();
  await once(listener, 'close');
  return port;
}

test('everybody sees a placeholder where the photo will lie, beside the photos that are there', async ({ server, open }) => {
  await server.upload(image('there.png', { width: 400, height: 300 }));
  const [one, two] = [await open(), await open()];
  const held = [];
  await one.page.route('**/image', (route) => held.push(route));
  await one.choose(one.page.getByRole('button', { name: 'Add photos' }), photos(1, 3));
  for (const window of [one, two]) await expect(window.page.locator('.placeholder')).toHaveCount(3);
  await two.settled();
  const placeholders = await two.page.locator('.placeholder').evaluateAll((elements) => elements.map((element) => {
    const { m41, m42 } = new DOMMatrix(getComputedStyle(element).transform);
    return { x: m41, y: m42, w: parseFloat(element.style.width), h: parseFloat(element.style.height) };
  }));
  expect(overlapOf([...placeholders, boxOf(await server.image('there.png'))])).toBeNull();
  await expect.poll(() => held.length).toBe(3);
  await Promise.all(held.map((route) => route.continue()));
  await one.page.unroute('**/image');
  await expect.poll(async () => (await server.images()).length).toBe(4);
  const boxes = (await server.images()).filter(({ fileName }) => fileName !== 'there.png').map(boxOf);
  const round = (list) => list.map(({ x, y, w }) => [x, y, w].map(Math.round).join(' ')).sort();
  expect(round(boxes)).toEqual(round(placeholders));
});

test('a photo dropped on another lies beside it', async ({ server, open }) => {
  await server.upload(image('there.png', { width: 400, height: 300 }));
  const window = await open();
  const { x, y, width, height } = await settledBox(window, 'there.png');
  await window.drop([image('dropped.png', { width: 400, height: 300, colour: [200, 30, 30] })], x + width / 2, y + height / 2);
  await window.shows('there.png', 'dropped.png');
  const [there, dropped] = [await server.image('there.png'), await server.image('dropped.png')].map(boxOf);
  expect(overlapOf([there, dropped])).toBeNull();
  expect(Math.hypot(dropped.x - there.x, dropped.y - there.y), 'it is near').toBeLessThan(400);
});

test('several photos dropped on a free place lie there in rows', async ({ server, open }) => {
  const window = await open();
  await window.drop(photos(2, 5), 300, 250);
  await expect.poll(async () => (await server.images()).length).toBe(5);
  const boxes = (await server.images()).map(boxOf);
  expect(overlapOf(boxes)).toBeNull();
  expect(new Set(boxes.map(({ y, h }) => Math.round((y + h / 2) / 280))).size, 'rows').toBeLessThanOrEqual(3);
});

test('a photo of an extreme shape has a tile of a sensible one, and is whole in the lightbox', async ({ server, open }) => {
  await server.upload(image('tower.png', { width: 100, height: 1500 }));
  await server.upload(image('ribbon.png', { width: 2000, height: 50 }));
  const strip = await server.upload(image('strip.png', { width: 8000, height: 200 }));
  // A pixel of what is shown for each on the screen. A thumbnail would have 13 rows.
  const isSharp = (/** @type {import('@playwright/test').Locator} */ img) =>
    expect.poll(() => img.evaluate((each) => /** @type {HTMLImageElement} */ (each).naturalHeight)).toBe(200);
  const window = await open();
  for (const name of ['tower.png', 'ribbon.png']) {
    const { width, height } = await settledBox(window, name);
    expect(height / width).toBeLessThan(3.3);
    expect(width / height).toBeLessThan(4.3);
  }
  await isSharp(window.tile('strip.png').locator('img'));
  await window.page.getByRole('link', { name: 'Album' }).click();
  await isSharp(photoIn(window, strip.id).locator('img'));
  await window.page.getByRole('link', { name: 'Board', exact: true }).click();

  await window.tile('tower.png').getByRole('application').press('Enter');
  const shown = window.page.locator('.lightbox-image');
  await expect(shown).toBeVisible();
  await window.settled();
  const { width, height } = await window.boxOf(shown);
  expect(height / width).toBeGreaterThan(14);
});
