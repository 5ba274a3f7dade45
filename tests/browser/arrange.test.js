import { expect, test } from './fixtures.js';
import { arrange, dragMouse, isPlaced, middleOf, uploadRow } from './support/board.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60], width: 200, height: 320 });
const blue = image('blue.png', { colour: [40, 60, 190] });
const row = [red, green, blue];

const undo = ({ page }) => page.getByRole('button', { name: 'Undo', exact: true }).and(page.locator('#undo'));
const redo = ({ page }) => page.locator('#redo');

/** The placements of all images, by name. */
async function placements(server) {
  const images = await server.images();
  return Object.fromEntries(images.map(({ fileName, x, y, w }) => [fileName, { x, y, w }]));
}

test('tidying lays all photos in rows for everybody, as one change that can be undone and redone', async ({ server, open }) => {
  for (const [at, each] of row.entries()) await server.upload(each, { x: at * 20, y: at * 30, w: 200 });
  const [one, two] = [await open(), await open()];
  await two.shows('red.png', 'green.png', 'blue.png');
  const before = await placements(server);
  await arrange(one, 'By name');
  await isPlaced(two, 'blue.png', { x: 0, y: 0 });
  const tidied = await placements(server);
  expect(tidied['blue.png'].x).toBeLessThan(tidied['green.png'].x);
  expect(tidied['green.png'].x + tidied['green.png'].w).toBeLessThan(tidied['red.png'].x + 0.01);
  await undo(one).click();
  await expect.poll(() => placements(server)).toEqual(before);
  await isPlaced(two, 'blue.png', { x: 40, y: 60 });
  await redo(one).click();
  await expect.poll(() => placements(server)).toEqual(tidied);
  await one.page.keyboard.press('Control+z');
  await expect.poll(() => placements(server)).toEqual(before);
  await one.page.keyboard.press('Control+Shift+z');
  await expect.poll(() => placements(server)).toEqual(tidied);
});

test('tidying by person lays the photos of each together', async ({ server, open }) => {
  const authors = ['Grace', 'Ada', 'Grace', 'Ada'];
  for (const [at, author] of authors.entries()) await server.upload(image(`${at}.png`, { colour: [60 * at, 90, 120] }), { author, x: at * 20, y: at * 30, w: 200 });
  const window = await open();
  await expect(window.tiles()).toHaveCount(4);
  await arrange(window, 'By person');
  const order = async () => (await server.images()).sort((a, b) => a.y - b.y || a.x - b.x).map(({ author }) => author);
  await expect.poll(order).toEqual(['Ada', 'Ada', 'Grace', 'Grace']);
});

test('tidying leaves room for photos that are being added', async ({ server, open }) => {
  await uploadRow(server, row);
  const [one, two] = [await open(), await open()];
  const held = [];
  await one.page.route('**/image', (route) => held.push(route));
  await one.drop([image('new.png', { width: 400, height: 300 })], 640, 500);
  await expect(two.page.locator('.placeholder')).toHaveCount(1);
  await expect.poll(() => held.length).toBe(1);
  const before = await placements(server);
  await arrange(two, 'By name');
  await expect.poll(() => placements(server)).not.toEqual(before);
  await held[0].continue();
  await one.page.unroute('**/image');
  await two.shows('red.png', 'green.png', 'blue.png', 'new.png');
  const boxes = (await server.images()).map(({ x, y, w, width, height }) => ({ x, y, right: x + w, bottom: y + (w * height) / width }));
  for (const [at, a] of boxes.entries()) {
    for (const b of boxes.slice(0, at)) expect(a.x < b.right && b.x < a.right && a.y < b.bottom && b.y < a.bottom, JSON.stringify([a, b])).toBe(false);
  }
});

test('of a history for which the browser has no room, the last changes are kept', async ({ server, open }) => {
  await uploadRow(server, row);
  const window = await open();
  await window.page.evaluate(() => {
    const { setItem } = Storage.prototype;
    Storage.prototype.setItem = function (key, value) {
      if (value.length > 700) throw new DOMException('full', 'QuotaExceededError');
      setItem.call(this, key, value);
    };
  });
  await window.tile('red.png').locator('[data-image]').focus();
  const tops = [];
  for (let change = 0; change < 8; change += 1) {
    tops.push((await server.image('red.png')).y);
    await window.page.keyboard.press('Alt+ArrowDown');
    await expect.poll(async () => (await server.image('red.png')).y).not.toBe(tops.at(-1));
    await window.tile('green.png').locator('[data-image]').focus();
    await window.tile('red.png').locator('[data-image]').focus();
  }
  await window.page.reload();
  await window.ready();
  await undo(window).click();
  await expect.poll(async () => (await server.image('red.png')).y).toBe(tops.at(-1));
  await expect(undo(window)).toBeEnabled();
});

test('tidying a selection covers no other photo, and aligns and sizes only the selection', async ({ server, open }) => {
  await uploadRow(server, row);
  const window = await open();
  const { page } = window;
  const select = async () => {
    await page.mouse.click(...(await middleOf(window, 'red.png')));
    await page.keyboard.down('Shift');
    await page.mouse.click(...(await middleOf(window, 'green.png')));
    await page.keyboard.up('Shift');
    await expect(page.locator('.tile.is-selected')).toHaveCount(2);
  };
  const before = await placements(server);
  await select();
  await arrange(window, 'Top');
  await expect.poll(async () => (await placements(server))['green.png'].y).toBe(before['red.png'].y);
  await arrange(window, 'Same size');
  const areas = async () => {
    const { 'red.png': a, 'green.png': b } = await placements(server);
    return Math.abs((a.w * a.w * 200) / 320 - (b.w * b.w * 320) / 200);
  };
  await expect.poll(areas).toBeLessThan(2);
  await arrange(window, 'By time');
  const gap = async () => {
    const { 'red.png': a, 'green.png': b } = await placements(server);
    return b.x - a.x - a.w;
  };
  await expect.poll(gap, { message: 'the gap of a row' }).toBeCloseTo(16, 0);
  expect((await placements(server))['blue.png'], 'the others stay').toEqual(before['blue.png']);
  await arrange(window, 'Send to back');
  await expect.poll(async () => Math.max((await server.image('red.png')).z, (await server.image('green.png')).z)).toBeLessThan(0);
  await arrange(window, 'Bring to front');
  const { z } = await server.image('blue.png');
  await expect.poll(async () => Math.min((await server.image('red.png')).z, (await server.image('green.png')).z)).toBeGreaterThan(z);
  const edges = async () => {
    const boxes = (await server.images()).filter(({ fileName }) => fileName !== 'blue.png').map(({ x, y, w, width, height }) => ({ left: x, top: y, right: x + w, bottom: y + (w * height) / width }));
    return (/** @type {'left' | 'right' | 'bottom'} */ edge) => Math.abs(boxes[0][edge] - boxes[1][edge]);
  };
  for (const edge of /** @type {const} */ (['left', 'right', 'bottom'])) {
    await arrange(window, edge[0].toUpperCase() + edge.slice(1));
    await expect.poll(async () => (await edges())(edge), { message: edge }).toBeLessThan(0.2);
  }
});

test('a move is undone, also after a reload, but not one that somebody else has changed since', async ({ server, open }) => {
  await uploadRow(server, [red, green]);
  const [one, two] = [await open(), await open()];
  const before = await placements(server);
  const drag = async (window, name, dx, dy) => {
    const [x, y] = await middleOf(window, name);
    await dragMouse(window, [x, y], [x + dx, y + dy]);
  };
  await drag(one, 'red.png', 60, 90);
  await expect.poll(async () => (await placements(server))['red.png'].y).toBeCloseTo(before['red.png'].y + 90, 0);
  await drag(one, 'green.png', 40, 80);
  await expect.poll(async () => (await placements(server))['green.png'].y).toBeCloseTo(before['green.png'].y + 80, 0);
  await one.page.reload();
  await one.ready();
  await undo(one).click();
  await expect.poll(async () => (await placements(server))['green.png']).toEqual(before['green.png']);
  await drag(two, 'red.png', 30, 0);
  const moved = await expect.poll(async () => (await placements(server))['red.png'].x).toBeCloseTo(before['red.png'].x + 90, 0).then(() => placements(server));
  await undo(one).click();
  await expect(one.page.getByText('This photo has been changed by someone else or deleted since.')).toBeVisible();
  expect((await placements(server))['red.png']).toEqual(moved['red.png']);
});

test('deleting and describing can be undone and redone in turn', async ({ server, open }) => {
  await uploadRow(server, [red, green]);
  const window = await open();
  const { page } = window;
  await window.tile('red.png').locator('[data-image]').press('Delete');
  await window.shows('green.png');
  await page.mouse.dblclick(...(await middleOf(window, 'green.png')));
  await page.getByLabel('Description').fill('A green field');
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await server.image('green.png')).alt).toBe('A green field');
  await page.keyboard.press('Escape');
  await expect(page.locator('#lightbox')).toBeHidden();
  await undo(window).click();
  await expect.poll(async () => (await server.image('green.png')).alt).toBeUndefined();
  await undo(window).click();
  await window.shows('red.png', 'green.png');
  await redo(window).click();
  await window.shows('green.png');
  await redo(window).click();
  await expect.poll(async () => (await server.image('green.png')).alt).toBe('A green field');
});

test('deleting more than ten photos asks once', async ({ server, open }) => {
  const photos = Array.from({ length: 11 }, (_, at) => image(`${at}.png`, { colour: [20 * at, 90, 160] }));
  for (const photo of photos) await server.upload(photo);
  const window = await open();
  const { page } = window;
  await expect(window.tiles()).toHaveCount(11);
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  const dialog = page.getByRole('dialog', { name: 'Delete 11 photos for everyone?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  expect(await server.images()).toHaveLength(11);
  await page.locator('#selection').getByRole('button', { name: 'Delete' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await window.shows();
  await page.keyboard.press('Control+z');
  await expect(window.tiles()).toHaveCount(11);
});

test('a phone has Undo as well', async ({ server, open }) => {
  await server.upload(red, { x: -60, y: -40, w: 160 });
  const phone = await open(PHONE);
  await phone.shows('red.png');
  await expect(undo(phone)).toBeHidden();
  await phone.tile('red.png').locator('[data-image]').focus();
  await phone.page.keyboard.press('Delete');
  await phone.shows();
  await undo(phone).tap();
  await phone.shows('red.png');
});
