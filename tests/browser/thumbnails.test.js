import { readFile } from 'node:fs/promises';
import { expect, test } from './fixtures.js';
import { settledBox } from './support/board.js';
import { image } from './support/images.js';
import { pixelOf } from './support/window.js';

const large = image('large.png', { colour: [190, 40, 40], width: 1000, height: 500 });
const small = image('small.png', { colour: [30, 140, 60], width: 60, height: 40 });
const gif = { name: 'moving.gif', bytes: await readFile(new URL('../files/animated.gif', import.meta.url)) };

const imgOf = (window, name) => window.tile(name).locator('img');

/** Waits until the tile shows a file of this width. */
async function hasWidth(window, name, width) {
  await expect.poll(() => imgOf(window, name).evaluate(({ naturalWidth }) => naturalWidth)).toBe(width);
}

/** The path of the file that the tile shows. */
const sourceOf = (window, name) => imgOf(window, name).evaluate(({ src }) => new URL(src).pathname);

/** Turns the wheel with Ctrl held on the middle of a tile, and waits until the board is at rest again. */
async function zoom(window, name, delta, turns) {
  const { x, y, width, height } = await settledBox(window, name);
  await window.page.mouse.move(x + width / 2, y + height / 2);
  await window.page.keyboard.down('Control');
  for (let turn = 0; turn < turns; turn += 1) await window.page.mouse.wheel(0, delta);
  await window.page.keyboard.up('Control');
  await expect.poll(async () => Math.sign((await settledBox(window, name)).width - width)).toBe(-Math.sign(delta));
}

test('a tile shows the thumbnail, and the whole file when it is zoomed in past it, without a flash', async ({ server, open }) => {
  const { url, thumb } = await server.upload(large, { x: -120, y: -60, w: 240 });
  expect(thumb, 'it has a thumbnail').toBeTruthy();
  const window = await open();
  await hasWidth(window, 'large.png', 512);
  await window.settled();
  expect(window.hasRequested(thumb), 'the thumbnail is requested').toBe(true);
  expect(window.hasRequested(url), 'the file is not').toBe(false);

  // A tile decodes the other file before it shows it, so each choice of a file is a call of `decode`.
  await window.page.evaluate(() => {
    globalThis.noted = { blankFrames: 0, decoded: [] };
    const { decode } = HTMLImageElement.prototype;
    HTMLImageElement.prototype.decode = function () {
      noted.decoded.push(new URL(this.src).pathname);
      return decode.call(this);
    };
    activity.onEachFrame(() => {
      const img = /** @type {HTMLImageElement} */ (document.querySelector('.tile img'));
      if (!img.complete || img.naturalWidth === 0) noted.blankFrames += 1;
    });
  });
  await zoom(window, 'large.png', -40, 3);
  await hasWidth(window, 'large.png', 1000);
  await zoom(window, 'large.png', 40, 1);
  expect(await window.page.evaluate(() => noted.decoded), 'a little smaller it stays').toEqual([url]);
  await zoom(window, 'large.png', 40, 2);
  await hasWidth(window, 'large.png', 512);
  expect(await window.page.evaluate(() => noted), 'every frame shows an image').toEqual({ blankFrames: 0, decoded: [url, thumb] });
  await expect(imgOf(window, 'large.png')).toHaveAttribute('alt', 'large');
});

test('on a screen of high pixel density the whole file is shown earlier', async ({ server, open }) => {
  await server.upload(large, { x: -150, y: -75, w: 300 });
  const window = await open({ deviceScaleFactor: 2 });
  await hasWidth(window, 'large.png', 1000);
});

test('in the distance a tile shows a smaller thumbnail, on a screen of high pixel density a larger one of these', async ({ server, open }) => {
  const { url } = await server.upload(large, { x: 0, y: 0, w: 240 });
  await server.upload(small, { x: 6000, y: 0 });
  const window = await open();
  await window.page.getByRole('button', { name: 'Show everything' }).click();
  await hasWidth(window, 'large.png', 64);
  const dense = await open({ deviceScaleFactor: 2 });
  await dense.page.getByRole('button', { name: 'Show everything' }).click();
  await hasWidth(dense, 'large.png', 160);
  await window.settled();
  expect(window.hasRequested(url), 'the file is loaded').toBe(false);
  await zoom(window, 'large.png', -40, 5);
  await hasWidth(window, 'large.png', 512);
});

test('an image without a thumbnail, or whose thumbnail cannot be loaded, is shown from its file', async ({ server, open }) => {
  const record = await server.upload(small, { x: -200, y: 0 });
  expect(record.thumb).toBeUndefined();
  await server.upload(large, { x: 100, y: 0 });
  const window = await open({
    prepare: (context) => context.route('**/thumb', (route) => route.fulfill({ status: 404 })),
    expectedErrors: [/status of 404/],
  });
  await window.paints('small.png', small.colour);
  await hasWidth(window, 'large.png', 1000);
});

test('only images near the view are loaded', async ({ server, open }) => {
  const far = await server.upload(image('far.png', { colour: [90, 90, 200], width: 600, height: 400 }), { x: 30000, y: 0 });
  const near = await server.upload(image('near.png', { colour: [200, 90, 90], width: 600, height: 400 }), { x: 0, y: 300 });
  // A new window shows the newest.
  await server.upload(small, { x: 0, y: 0 });
  const window = await open();
  await window.page.getByRole('button', { name: 'Actual size' }).click();
  await window.paints('small.png', small.colour);
  await window.settled();
  await window.page.reload();
  window.requests.length = 0;
  await window.ready();
  await window.paints('small.png', small.colour);
  await window.paints('near.png', [200, 90, 90]);
  await window.settled();
  expect(window.hasRequested(far.thumb) || window.hasRequested(far.url), 'the far one is loaded').toBe(false);
  // It is loaded as soon as it comes near.
  await window.page.mouse.move(640, 400);
  await window.page.mouse.wheel(30_000, 0);
  await window.paints('far.png', [90, 90, 200]);
  expect(window.hasRequested(far.thumb)).toBe(true);
  expect(near.thumb).toBeTruthy();
});

test('an animation shows its first frame, and plays while the pointer is on it', async ({ server, open }) => {
  const { url, thumb } = await server.upload(gif, { x: -120, y: -90, w: 240 });
  const window = await open({ reducedMotion: 'no-preference' });
  await expect.poll(() => pixelOf(imgOf(window, gif.name))).not.toBeNull();
  expect(await sourceOf(window, gif.name)).toBe(thumb);
  await window.tile(gif.name).hover();
  await expect.poll(() => sourceOf(window, gif.name)).toBe(url);
  await window.page.mouse.move(20, 400);
  await expect.poll(() => sourceOf(window, gif.name)).toBe(thumb);
});

test('an animation does not play where reduced motion is preferred', async ({ server, open }) => {
  const { url, thumb } = await server.upload(gif, { x: -120, y: -90, w: 240 });
  const window = await open({ reducedMotion: 'reduce' });
  await expect.poll(() => pixelOf(imgOf(window, gif.name))).not.toBeNull();
  await window.tile(gif.name).hover();
  // The controls of the tile show that the page has seen the pointer, and at rest the timer that starts a playback is over.
  await expect(window.page.getByRole('button', { name: 'Open moving' })).toBeVisible();
  await window.settled();
  expect(await sourceOf(window, gif.name)).toBe(thumb);
  expect(window.hasRequested(url), 'the animation is loaded').toBe(false);
});
