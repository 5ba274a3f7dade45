import { expect, test as base } from './fixtures.js';
import { albumIn, focusedPhoto, hasPhotoFocus, multiplyRecords, photoIn, photosIn, scrollAlbum } from './support/album.js';
import { fill } from './support/fill.js';
import { image } from './support/images.js';
import { Server } from './support/server.js';

const COUNT = 2_000;
/** The album shows each image so many times. */
const TIMES = 10;
const images = Array.from({ length: 20 }, (_, at) => image(`${at}.png`, { width: 240 + at * 8, height: 240, colour: [at * 12, 90, 200 - at * 9] }));
const red = image('red.png', { colour: [190, 40, 40], width: 600, height: 400 });

/** One server for all tests of this file, because filling it takes long. */
const test = base.extend(
  /** @type {any} */ ({
    filledServer: [
      async ({}, use) => {
        const server = await Server.start();
        await fill(server, images, COUNT / TIMES);
        await use(server);
        await server.stop();
      },
      { scope: 'worker', timeout: 300_000 },
    ],
    server: ({ filledServer }, use) => use(filledServer),
  }),
);

const ALBUM = {
  path: '/#album',
  prepare: (context) => multiplyRecords(context, TIMES, ({ fileName }) => !fileName.startsWith('red')),
};

/** The first photo that is wholly in view, and its distance from the top of the window. */
function firstInView(window) {
  return photosIn(window).evaluateAll((all) => {
    const boxes = all.map((each) => ({ id: each.dataset.id, y: each.getBoundingClientRect().y }));
    return boxes.find(({ y }) => y >= 70);
  });
}

test('of two thousand photos only those near the view are in the document, and all can be seen', async ({ open }) => {
  const window = await open(ALBUM);
  await expect(window.page.getByText('2000 photos', { exact: true })).toBeVisible();
  const seen = new Set();
  const height = await albumIn(window).evaluate(({ scrollHeight }) => scrollHeight);
  for (let top = 0; top < height; top += 700) {
    await scrollAlbum(window, top);
    const ids = await photosIn(window).evaluateAll((all) => all.map(({ dataset }) => dataset.id));
    expect(ids.length, `photos at ${top}`).toBeLessThan(120);
    const below = await photosIn(window).last().evaluate((last) => last.getBoundingClientRect().bottom);
    expect(below, `the view is filled at ${top}`).toBeGreaterThan(Math.min(800, height - top - 200));
    for (const id of ids) seen.add(id);
  }
  expect(seen.size).toBe(COUNT);
});

test('what one looks at stays where it is while photos are added and deleted above it', async ({ server, open }) => {
  const window = await open(ALBUM);
  await expect(window.page.getByText('2000 photos', { exact: true })).toBeVisible();
  const newest = await photosIn(window).first().getAttribute('data-id');
  await scrollAlbum(window, 5_000);
  const before = await firstInView(window);
  const added = [];
  for (let at = 0; at < 9; at += 1) added.push((await server.upload({ ...red, name: `red ${at}.png` })).id);
  const height = () => albumIn(window).evaluate(({ scrollHeight }) => scrollHeight);
  await expect(window.page.getByText('2009 photos', { exact: true })).toBeAttached();
  await window.settled();
  expect(await firstInView(window)).toEqual(before);
  const grown = await height();
  for (const id of [newest, ...added]) await server.delete(id);
  // Of the newest photo, only the record that the server has is gone, not its copies.
  await expect(window.page.getByText('1999 photos', { exact: true })).toBeAttached();
  await expect.poll(height).toBeLessThan(grown);
  await expect(photoIn(window, before.id)).toBeVisible();
  await window.settled();
  expect(await firstInView(window)).toEqual(before);
});

test('End and Home reach the oldest and the newest photo, and a focused photo stays while one scrolls', async ({ open }) => {
  const window = await open(ALBUM);
  const { page } = window;
  const first = await photosIn(window).first().getAttribute('data-id');
  await photosIn(window).first().locator('a').focus();
  await page.keyboard.press('End');
  await window.settled();
  const last = await focusedPhoto(window);
  expect(last).not.toBe(first);
  const { y, height } = await window.boxOf(photoIn(window, last));
  expect(y >= 0 && y + height <= 800, `the oldest photo is in view: ${y}`).toBe(true);
  await expect(photoIn(window, first)).not.toBeAttached();
  await scrollAlbum(window, 3_000);
  expect(await focusedPhoto(window)).toBe(last);
  await page.keyboard.press('Home');
  await hasPhotoFocus(window, first);
  await expect(photoIn(window, first)).toBeInViewport();
});
