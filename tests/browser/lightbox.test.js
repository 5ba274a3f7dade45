import { readFile } from 'node:fs/promises';
import { expect, test } from './fixtures.js';
import { announces, focusPhoto, focused, hasFocus, middleOf } from './support/board.js';
import { image } from './support/images.js';
import { PHONE, Touch } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40], width: 1200, height: 900 });
const green = image('green.png', { colour: [30, 140, 60], width: 1200, height: 900 });
const blue = image('blue.png', { colour: [40, 60, 190], width: 1200, height: 900 });
const names = ['red.png', 'green.png', 'blue.png'];

/** Uploads three images in a row, and returns their ids. */
async function uploadThree(server) {
  const ids = [];
  for (const [at, each] of [red, green, blue].entries()) {
    const { id } = await server.upload(each, { x: at * 240 - 350, y: -60, w: 200, author: 'Ada' });
    ids.push(id);
  }
  return ids;
}

const lightbox = ({ page }) => page.locator('#lightbox');
const dialog = ({ page }) => page.getByRole('dialog', { name: /^(red|green|blue)$/ });

/** Waits until the lightbox shows this image with its pixels. */
async function shows(window, name) {
  await expect(window.page.getByRole('dialog', { name: name.replace('.png', ''), exact: true })).toBeVisible();
  await expect(lightbox(window)).toHaveClass(/(^| )is-loaded( |$)/);
}

/** Waits until the lightbox is closed. */
async function isClosed(window) {
  await expect(lightbox(window)).toBeHidden();
}

/** The box of the image in the lightbox, in whole pixels, after all movement has ended. */
async function contentBox(window) {
  await window.settled();
  const { x, width } = await window.boxOf(window.page.locator('.lightbox-content'));
  return { x: Math.round(x), width: Math.round(width) };
}

/** Waits until the image in the lightbox has this width on the screen. */
async function hasWidth(window, width, message = 'width of the image') {
  await expect.poll(async () => (await contentBox(window)).width, { message }).toBe(width);
}

test('a double click opens the lightbox with the facts of the image; Escape closes it and returns the focus', async ({ server, open }) => {
  await uploadThree(server);
  const window = await open();
  const { page } = window;
  await page.mouse.dblclick(...(await middleOf(window, 'green.png')));
  await shows(window, 'green.png');
  const about = page.locator('.lightbox-about');
  for (const fact of [/green\.png/, /Added by Ada/, /1200 × 900/, /\d KB/, /PNG/]) await expect(about).toHaveText(fact);
  const added = await page.evaluate(() => String(new Date().getFullYear()));
  await expect(about).toHaveText(new RegExp(added));
  await expect(lightbox(window).locator('[data-count]')).toHaveText('2 of 3');
  await expect(page).toHaveURL(/#image=[0-9a-f-]{36}$/);

  await page.keyboard.press('ArrowRight');
  await shows(window, 'blue.png');
  await announces(window, /blue, 3 of 3/);
  await page.keyboard.press('ArrowRight');
  await shows(window, 'red.png');
  await page.getByRole('button', { name: 'Previous photo' }).click();
  await shows(window, 'blue.png');
  await page.getByRole('button', { name: 'Next photo' }).click();
  await shows(window, 'red.png');
  await page.keyboard.press('Escape');
  await isClosed(window);
  await hasFocus(window, 'red');
  await expect.poll(() => new URL(page.url()).hash).toBe('');
});

test('with the keyboard alone Enter opens the lightbox, the focus stays inside, and keys zoom, pan and page', async ({ server, open }) => {
  await uploadThree(server);
  const window = await open();
  const { page } = window;
  await focusPhoto(window, 'green');
  await page.keyboard.press('Enter');
  await shows(window, 'green.png');
  const isInside = () => page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('#lightbox') !== null);
  const reached = new Set();
  for (let press = 0; press < 30; press += 1) {
    await page.keyboard.press('Tab');
    expect(await isInside(), 'the focus is in the lightbox').toBe(true);
    reached.add(await focused(window));
  }
  for (const name of ['Close', 'Previous photo', 'Next photo', 'Zoom in', 'Download', 'Copy link', 'Delete']) {
    expect([...reached]).toContain(name);
  }
  await page.locator('[data-stage]').focus();
  const { width: fitting } = await contentBox(window);
  await page.keyboard.press('0');
  await hasWidth(window, 1200);
  await expect(lightbox(window).locator('[data-scale]')).toHaveText(/100 %/);
  const { x } = await contentBox(window);
  await page.keyboard.press('ArrowRight');
  await expect.poll(async () => (await contentBox(window)).x, { message: 'a zoomed image is panned' }).toBe(x - 80);
  await expect(page.locator('#lightbox-name')).toHaveText('green');
  await page.keyboard.press('1');
  await hasWidth(window, fitting);
  await page.keyboard.press('+');
  await hasWidth(window, Math.round(fitting * 1.5));
  await page.keyboard.press('PageDown');
  await shows(window, 'blue.png');
  await hasWidth(window, fitting, 'another image is seen whole');
  await page.keyboard.press('Escape');
  await isClosed(window);
});

test('wheel, double click and buttons zoom at the pointer, and dragging pans', async ({ server, open }) => {
  await uploadThree(server);
  const window = await open();
  const { page } = window;
  await page.mouse.dblclick(...(await middleOf(window, 'red.png')));
  await shows(window, 'red.png');
  const { width: fitting } = await contentBox(window);
  /** @type {[number, number]} */
  const middle = [472, 396];
  await page.mouse.move(...middle);
  await page.mouse.wheel(0, -120);
  await expect.poll(async () => (await contentBox(window)).width).toBeGreaterThan(fitting * 1.2);
  await page.mouse.dblclick(...middle);
  await hasWidth(window, fitting);
  await page.mouse.dblclick(...middle);
  await expect.poll(async () => (await contentBox(window)).width).toBeGreaterThanOrEqual(1200);
  const { x } = await contentBox(window);
  await page.mouse.move(...middle);
  await page.mouse.down();
  await page.mouse.move(middle[0] + 50, middle[1], { steps: 3 });
  await page.mouse.up();
  await expect.poll(async () => (await contentBox(window)).x).toBe(x + 50);
  await lightbox(window).getByRole('button', { name: 'Fit to window' }).click();
  await hasWidth(window, fitting);
  await lightbox(window).getByRole('button', { name: 'Zoom in' }).click();
  await hasWidth(window, Math.round(fitting * 1.5));
});

test('on a phone a tap opens the lightbox, a swipe pages, two fingers zoom, and every control fits', async ({ server, open }) => {
  await uploadThree(server);
  const window = await open(PHONE);
  const { page } = window;
  const touch = await Touch.on(window);
  const tile = window.tile('green.png').locator('img');
  await touch.tap(await middleOf(window, 'green.png'));
  await shows(window, 'green.png');
  await touch.drag([300, 300], [120, 310]);
  await shows(window, 'blue.png');
  await touch.drag([100, 300], [280, 300]);
  await shows(window, 'green.png');
  const { width: fitting } = await contentBox(window);
  await touch.pinch([195, 320], 100, 200);
  await expect.poll(async () => Math.abs((await contentBox(window)).width - fitting * 2)).toBeLessThan(4);
  const { x: zoomedX } = await contentBox(window);
  await touch.drag([300, 300], [200, 300]);
  await expect.poll(async () => (await contentBox(window)).x, { message: 'a zoomed image is panned' }).toBeLessThan(zoomedX);
  await expect(page.locator('#lightbox-name')).toHaveText('green');
  await touch.doubleTap([195, 320]);
  await hasWidth(window, fitting, 'a double tap shows all of it');

  await page.getByRole('button', { name: 'Details' }).tap();
  await expect(page.getByLabel('Description')).toBeVisible();
  await window.settled();
  for (const name of ['Close', 'Next photo', 'Delete', 'Copy link', 'Details']) {
    const { x, y, width, height } = await window.boxOf(dialog(window).getByRole('button', { name }));
    const fits = width >= 40 && height >= 40 && x >= 0 && x + width <= 390 && y + height <= 844;
    expect(fits, `${name}: ${[x, y, width, height]}`).toBe(true);
  }
  expect(await page.evaluate(() => document.querySelector('#lightbox').scrollWidth)).toBe(390);
  await page.getByRole('button', { name: 'Close' }).tap();
  await isClosed(window);
  await tile.tap();
  await shows(window, 'green.png');
  await page.goBack();
  await isClosed(window);
  await window.shows(...names);
});

test('an image is downloaded and its link copied, also on plain HTTP where pages have no clipboard', async ({ server, open }) => {
  const [id] = await uploadThree(server);
  const window = await open({
    acceptDownloads: true,
    slowMessages: true,
    permissions: ['clipboard-read', 'clipboard-write'],
    prepare: (context) => context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'clipboard')),
  });
  const { page } = window;
  expect(await page.evaluate(() => navigator.clipboard)).toBeUndefined();
  await page.mouse.dblclick(...(await middleOf(window, 'red.png')));
  await shows(window, 'red.png');
  const [download] = await Promise.all([page.waitForEvent('download'), dialog(window).getByRole('link', { name: 'Download' }).click()]);
  expect(download.suggestedFilename()).toBe('red.png');
  expect((await readFile(await download.path())).equals(red.bytes)).toBe(true);

  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.locator('#notices').getByText('Link copied')).toBeVisible();
  await hasFocus(window, 'Copy link');
  const description = page.getByLabel('Description');
  await description.focus();
  await page.keyboard.press('Control+v');
  const link = `${server.url}/#image=${id}`;
  await expect(description).toHaveValue(link);
  await description.fill('');
  await window.close();

  const other = await open({ url: link });
  await shows(other, 'red.png');
  await other.page.keyboard.press('Escape');
  await isClosed(other);
  await expect(other.page).toHaveURL(`${server.url}/`);
  await hasFocus(other, 'red');
});

test('a link to a deleted image says so and shows the board', async ({ server, open }) => {
  await uploadThree(server);
  const window = await open({ path: '/#image=0194bd2c-7a00-7000-8000-000000000001' });
  await expect(window.page.getByText('This photo is no longer on the board.')).toBeVisible();
  await window.shows(...names);
  await expect.poll(() => new URL(window.page.url()).hash).toBe('');
});

test('a description is stored, shown to everybody, and announced in place of the file name', async ({ server, open }) => {
  const [id] = await uploadThree(server);
  const path = `/#image=${id}`;
  const [one, two] = [await open({ path, slowMessages: true }), await open({ path })];
  await shows(one, 'red.png');
  await shows(two, 'red.png');
  await one.page.getByLabel('Description').fill('A red square');
  await one.page.keyboard.press('Enter');
  await expect(one.page.getByText('Saved.')).toBeVisible();
  await expect(two.page.getByLabel('Description')).toHaveValue('A red square');
  expect((await server.image('red.png')).alt).toBe('A red square');
  for (const window of [one, two]) {
    await expect(dialog(window).locator('[data-image]')).toHaveAttribute('alt', 'A red square');
    await window.page.keyboard.press('Escape');
    await isClosed(window);
    await expect(window.page.getByRole('application', { name: 'A red square' })).toBeVisible();
    await expect(window.tile('red.png').locator('img')).toHaveAttribute('alt', 'A red square');
  }
  await hasFocus(one, 'A red square');
  await one.page.keyboard.press('Enter');
  await shows(one, 'red.png');
  await one.page.getByLabel('Description').fill('');
  await one.page.keyboard.press('Escape');
  await isClosed(one);
  await expect(two.page.getByRole('application', { name: 'red' })).toBeVisible();
  await expect.poll(async () => (await server.image('red.png')).alt ?? '').toBe('');
});

test('the lightbox says when somebody deletes its image, and Undo restores it', async ({ server, open }) => {
  const [, id] = await uploadThree(server);
  const window = await open({ path: `/#image=${id}`, slowMessages: true });
  const { page } = window;
  const gone = lightbox(window).locator('[data-gone]');
  await shows(window, 'green.png');
  await page.getByRole('button', { name: 'Copy link' }).focus();
  await server.delete(id);
  await expect(gone.getByText('Someone deleted green.')).toBeVisible();
  await expect(page.locator('#deleted'), 'it is said once').toBeHidden();
  await hasFocus(window, 'Undo'); // The focused button cannot be used now.
  await page.keyboard.press('Enter');
  await expect(gone).toBeHidden();
  await expect.poll(() => server.images()).toHaveLength(3);
  await announces(window, /green restored/);
  await server.delete(id);
  await expect(gone.getByText('Someone deleted green.')).toBeVisible();
  await page.keyboard.press('Escape');
  await isClosed(window);
  await window.shows('red.png', 'blue.png');
});

test('after a deletion in the lightbox the next image is shown, and the deleted one can be restored there', async ({ server, open }) => {
  const [id] = await uploadThree(server);
  const [one, two] = [await open({ path: `/#image=${id}`, slowMessages: true }), await open()];
  await shows(one, 'red.png');
  await one.page.keyboard.press('Delete');
  await shows(one, 'green.png');
  await two.shows('green.png', 'blue.png');
  await expect(one.page.getByText('You deleted red')).toBeVisible();
  await one.page.locator('#deleted').getByRole('button', { name: 'Undo' }).click();
  for (const window of [one, two]) await window.shows(...names);
  await expect(lightbox(one).locator('[data-count]')).toHaveText('2 of 3');
  for (const each of ['green.png', 'blue.png', 'red.png']) {
    await shows(one, each);
    await one.page.keyboard.press('Delete');
    await expect(two.tile(each)).toHaveCount(0);
  }
  await isClosed(one);
  await expect(one.page.getByRole('heading', { name: 'Drop photos here' })).toBeVisible();
});
