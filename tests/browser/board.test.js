import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from './fixtures.js';
import { dragMouse, isPlaced, placementOf, settledBox } from './support/board.js';
import { image, writeFiles } from './support/images.js';
import { eventually } from './support/window.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60], width: 200, height: 320 });
const blue = image('blue.png', { colour: [40, 60, 190], width: 300, height: 300 });

/** In the middle of the board at the actual size. */
const CENTRED = { x: -120, y: -75, w: 240 };

test('an image dropped in one window appears in two others, where it was dropped', async ({ open }) => {
  const windows = [await open(), await open(), await open()];
  await windows[0].drop([red], 500, 300);
  for (const window of windows) {
    await window.shows('red.png');
    await window.paints('red.png', red.colour);
    const { x, y, width, height } = await settledBox(window, 'red.png');
    expect(Math.abs(x + width / 2 - 500), 'distance from the pointer').toBeLessThan(2);
    expect(Math.abs(y + height / 2 - 300), 'distance from the pointer').toBeLessThan(2);
  }
});

test('an image deleted in one window disappears from the others, and the board is empty again', async ({ server, open }) => {
  await server.upload(red);
  const [one, two] = [await open(), await open()];
  await one.shows('red.png');
  await two.shows('red.png');
  await one.tile('red.png').hover();
  await one.page.getByRole('button', { name: 'Delete red' }).click();
  for (const window of [one, two]) {
    await window.shows();
    await expect(window.page.getByRole('heading', { name: 'Drop photos here' })).toBeVisible();
  }
  await expect.poll(() => server.images()).toEqual([]);
});

test('several images dropped at once are laid out in rows of one height', async ({ server, open }) => {
  const files = [1, 2, 3, 4, 5, 6, 7].map((at) => image(`${at}.png`, { width: 100 * at, height: 300, colour: [30 * at, 90, 90] }));
  const [one, two] = [await open(), await open()];
  await one.drop(files, 400, 300);
  for (const window of [one, two]) await window.shows(...files.map(({ name }) => name));
  const images = await server.images();
  const rows = new Set(images.map(({ y }) => y)).size;
  expect([2, 3], 'number of rows').toContain(rows);
  for (const a of images) {
    for (const b of images) expect(a !== b && overlap(a, b), `${a.fileName} covers ${b.fileName}`).toBe(false);
  }
  const heights = images.map(({ w, width, height }) => Math.round((w * height) / width));
  expect(new Set(heights).size, `the rows have one height: ${heights}`).toBe(1);
});

test('every image in a dropped folder is added', async ({ open }) => {
  const paths = await writeFiles(red, green, { name: '.DS_Store', bytes: 'clutter' });
  const folder = join(dirname(paths[0]), 'holidays');
  await mkdir(join(folder, 'deeper'), { recursive: true });
  await rename(paths[0], join(folder, 'red.png'));
  await rename(paths[1], join(folder, 'deeper', 'green.png'));
  await rename(paths[2], join(folder, '.DS_Store'));
  const window = await open();
  await window.drop([folder]);
  await window.shows('red.png', 'green.png');
  await expect(window.page.locator('.upload')).toHaveCount(0);
});

test('the first images appear in the middle', async ({ open }) => {
  const window = await open();
  await window.choose(window.page.getByRole('button', { name: 'Choose photos' }), [red]);
  await window.shows('red.png');
  const { x, width } = await settledBox(window, 'red.png');
  expect(Math.abs(x + width / 2 - 640), 'distance from the middle').toBeLessThan(2);
  await window.choose(window.page.getByRole('button', { name: 'Add photos' }), [green, blue]);
  await window.shows('red.png', 'green.png', 'blue.png');
});

test('an image pasted from the clipboard is added', async ({ open }) => {
  const window = await open();
  await window.paste({ ...blue, name: 'image.png' });
  await window.shows('image.png');
  await window.paints('image.png', blue.colour);
});

test('a new window shows everything on the board', async ({ server, open }) => {
  await server.upload(red, { x: -300, y: -200 });
  await server.upload(green, { x: 2000, y: 900, w: 120 });
  const window = await open();
  await window.shows('red.png', 'green.png');
  await window.paints('red.png', red.colour);
  await window.paints('green.png', green.colour);
  for (const name of ['red.png', 'green.png']) {
    const { x, y, width, height } = await settledBox(window, name);
    expect(x >= 0 && y >= 0 && x + width <= 1280 && y + height <= 800, `${name} is in view: ${[x, y, width, height]}`).toBe(true);
  }
});

test('each window shows how many viewers are connected', async ({ open }) => {
  const one = await open();
  const two = await open();
  for (const window of [one, two]) await expect(window.page.getByText('2 here')).toBeVisible();
  await two.close();
  await expect(one.page.locator('#connection')).toHaveText('Live');
});

test('a hostile file name is shown as text and does nothing', async ({ server, open }) => {
  const name = `<img src=x onerror=alert(1)> "'🦊\u202e ../x.png`;
  await server.upload(red, { fileName: name });
  const window = await open();
  await expect(window.page.locator('.tile')).toHaveCount(1);
  const [{ fileName }] = await server.images();
  expect(await window.page.locator('.tile [data-name]').getAttribute('title')).toBe(fileName);
  await expect(window.page.locator('.tile img')).toHaveCount(1);
});

test('an image that one viewer drags moves for another meanwhile, and both end with the same placement', async ({ server, open }) => {
  await server.upload(red, CENTRED);
  await server.upload(green, { x: 300, y: 100, w: 100 });
  const [one, two] = [await open(), await open()];
  await one.page.getByRole('button', { name: 'Actual size' }).click();
  await two.shows('red.png', 'green.png');
  const start = await settledBox(one, 'red.png');
  const elsewhere = await settledBox(two, 'red.png');
  await one.page.mouse.move(start.x + 100, start.y + 60);
  await one.page.mouse.down();
  await one.page.mouse.move(start.x + 200, start.y + 60, { steps: 5 });
  await eventually(async () => {
    const { x } = await two.boxOf(two.tile('red.png'));
    expect(x, 'it moves while the button is still down').toBeGreaterThan(elsewhere.x + 40);
  });
  await one.page.mouse.move(start.x + 220, start.y + 100, { steps: 3 });
  await one.page.mouse.up();
  await expect.poll(() => server.image('red.png')).toMatchObject({ x: 0, y: -35 });
  for (const window of [one, two]) await isPlaced(window, 'red.png', { x: 0, y: -35, width: 240 });
  const rankOf = (name) => one.tile(name).evaluate((tile) => Number(tile.style.zIndex));
  await eventually(async () => {
    expect(await rankOf('red.png'), 'a dragged image comes to the front').toBeGreaterThan(await rankOf('green.png'));
  });
});

test('two viewers who drag the same image end with the same placement', async ({ server, open }) => {
  await server.upload(red, CENTRED);
  const [one, two] = [await open(), await open()];
  for (const window of [one, two]) {
    const { x, y } = await settledBox(window, 'red.png');
    await window.page.mouse.move(x + 50, y + 50);
    await window.page.mouse.down();
  }
  for (let step = 1; step <= 8; step += 1) {
    await one.page.mouse.move(600 + step * 20, 400);
    await two.page.mouse.move(600, 400 - step * 20);
  }
  await Promise.all([one.page.mouse.up(), two.page.mouse.up()]);
  await eventually(async () => {
    const { x, y } = await server.image('red.png');
    expect([x, y]).not.toEqual([CENTRED.x, CENTRED.y]);
    for (const window of [one, two]) {
      expect(await placementOf(window, 'red.png')).toMatchObject({ x, y });
      expect(await window.page.locator('.tile.is-held').count()).toBe(0);
    }
  });
});

test('Escape puts a dragged image back', async ({ server, open }) => {
  await server.upload(red, CENTRED);
  const window = await open();
  const { x, y } = await settledBox(window, 'red.png');
  await window.page.mouse.move(x + 50, y + 50);
  await window.page.mouse.down();
  await window.page.mouse.move(x + 150, y + 90, { steps: 4 });
  await expect.poll(async () => (await server.image('red.png')).x).not.toBe(CENTRED.x);
  await window.page.keyboard.press('Escape');
  await window.page.mouse.up();
  await expect.poll(() => server.image('red.png')).toMatchObject({ x: CENTRED.x, y: CENTRED.y });
  await isPlaced(window, 'red.png', { x: CENTRED.x, y: CENTRED.y, width: CENTRED.w });
});

test('the handle in the corner resizes an image and keeps its shape', async ({ server, open }) => {
  await server.upload(red, CENTRED);
  const [one, two] = [await open(), await open()];
  await one.settled();
  await one.tile('red.png').hover();
  const handle = one.page.getByRole('slider', { name: 'Width of red' });
  await expect(handle).toBeVisible();
  const { x, y, width, height } = await one.boxOf(handle);
  await dragMouse(one, [x + width / 2, y + height / 2], [x + width / 2 + 80, y + height / 2 + 50]);
  await expect.poll(() => server.image('red.png')).toMatchObject({ x: CENTRED.x, y: CENTRED.y, w: 320 });
  for (const window of [one, two]) {
    await eventually(async () => {
      const box = await window.boxOf(window.tile('red.png'));
      expect([Math.round(box.width), Math.round(box.height)]).toEqual([320, 200]);
    });
  }
});

test('the board pans by dragging and by the wheel, and zooms by Ctrl with the wheel and by buttons', async ({ server, open }) => {
  await server.upload(red, CENTRED);
  const window = await open();
  const { page } = window;
  const start = await settledBox(window, 'red.png');
  const box = () => settledBox(window, 'red.png');
  await dragMouse(window, [100, 500], [160, 530]);
  expect(await box(), 'dragging pans').toMatchObject({ x: start.x + 60, y: start.y + 30 });
  await page.mouse.wheel(60, 30);
  await eventually(async () => expect(await box(), 'the wheel pans').toMatchObject({ x: start.x, y: start.y }));
  await page.mouse.move(start.x, start.y);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -40);
  await page.keyboard.up('Control');
  await eventually(async () => {
    const { x, width } = await box();
    expect(width, 'it is larger').toBeGreaterThan(300);
    expect(Math.abs(x - start.x), 'what lies under the pointer stays there').toBeLessThan(1);
  });
  await page.getByRole('button', { name: 'Actual size' }).click();
  expect(Math.round((await box()).width)).toBe(240);
  await page.getByRole('button', { name: 'Zoom out' }).click();
  expect(Math.round((await box()).width)).toBe(192);
  await page.mouse.move(640, 400);
  await page.mouse.wheel(4000, 4000);
  await expect(window.tile('red.png')).not.toBeInViewport();
  await page.getByRole('button', { name: 'Show everything' }).click();
  const { x, width } = await box();
  expect(x > 0 && x + width < 1280 && Math.round(width) === 240, `it is in view again: ${[x, width]}`).toBe(true);
});

test('only tiles near the view are in the document, and a reload shows the same part', async ({ server, open }) => {
  for (let at = 0; at < 40; at += 1) {
    await server.upload(image(`${at}.png`, { width: 20, height: 20, colour: [at * 5, 90, 90] }), { x: at * 600, y: 0, w: 200 });
  }
  const window = await open();
  const { page } = window;
  const tiles = page.locator('.tile');
  await page.getByRole('button', { name: 'Show everything' }).click();
  await expect(tiles).toHaveCount(40);
  await page.getByRole('button', { name: 'Actual size' }).click();
  await expect.poll(() => tiles.count()).toBeLessThan(15);
  const { x } = await settledBox(window, '19.png');
  await page.mouse.move(640, 400);
  await page.mouse.wheel(300, 0);
  await eventually(async () => expect((await settledBox(window, '19.png')).x).toBe(x - 300));
  const before = await inView(window);
  expect(before).not.toEqual([]);
  await page.reload();
  await window.ready();
  await expect.poll(() => inView(window)).toEqual(before);
});

/** The names of the tiles in view and their left edges, in document order. */
function inView({ page }) {
  return page.locator('.tile[data-id]').evaluateAll((tiles) =>
    tiles
      .filter((tile) => tile.getBoundingClientRect().right > 0 && tile.getBoundingClientRect().left < innerWidth)
      .map((tile) => `${tile.innerText.trim()} at ${Math.round(tile.getBoundingClientRect().left)}`),
  );
}

function overlap(a, b) {
  const bottom = (image) => image.y + (image.w * image.height) / image.width;
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < bottom(b) && b.y < bottom(a);
}
