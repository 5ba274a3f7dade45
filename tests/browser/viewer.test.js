import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { focused, middleOf, said, tabTo } from './helpers/board.js';
import { Window, eventually, launch } from './helpers/browser.js';
import { Fingers, PHONE } from './helpers/fingers.js';
import { picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const red = picture('red.png', { colour: [190, 40, 40], width: 1600, height: 1200 });
const green = picture('green.png', { colour: [30, 140, 60], width: 1600, height: 1200 });
const blue = picture('blue.png', { colour: [40, 60, 190], width: 1600, height: 1200 });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

const open = (options, hash = '') => Window.open(browser, `${server.url}/${hash}`, options);

async function three() {
  const ids = [];
  for (const [at, each] of [red, green, blue].entries()) {
    const { id } = await server.upload(each, { x: at * 240 - 350, y: -60, w: 200, author: 'Ada' });
    ids.push(id);
  }
  return ids;
}

const dialog = ({ page }) => page.getByRole('dialog', { name: /\.png$/ });

/** Waits until the large view shows this picture, with its pixels. */
async function views(window, name) {
  await window.page.getByRole('dialog', { name }).waitFor();
  await window.page.locator('#lightbox.is-loaded').waitFor();
}

const closed = ({ page }) => page.locator('#lightbox').waitFor({ state: 'hidden' });

/** How many screen pixels wide the picture is shown. */
const shownWidth = (window) => window.page.locator('.lightbox-content').evaluate((element) => Math.round(element.getBoundingClientRect().width));
const shownAt = (window) => window.page.locator('.lightbox-content').evaluate((element) => Math.round(element.getBoundingClientRect().x));

test('a double click opens the large view, which tells all about the picture; Escape gives the focus back', async () => {
  await three();
  const window = await open();
  const { page } = window;
  await page.mouse.dblclick(...(await middleOf(window, 'green.png')));
  await views(window, 'green.png');
  const about = await page.locator('.lightbox-about').innerText();
  for (const fact of [/green\.png/, /Added by Ada/, /1600 × 1200/, /\d kB/, /PNG/]) assert.match(about, fact);
  assert.match(about, new RegExp(String(new Date().getFullYear())));
  assert.equal(await page.locator('#lightbox [data-count]').innerText(), '2 of 3');
  assert.match(page.url(), /#image=[0-9a-f-]{36}$/);

  await page.keyboard.press('ArrowRight');
  await views(window, 'blue.png');
  await said(window, /blue\.png, 3 of 3/);
  await page.keyboard.press('ArrowRight');
  await views(window, 'red.png');
  await page.getByRole('button', { name: 'Previous photo' }).click();
  await views(window, 'blue.png');
  await page.getByRole('button', { name: 'Next photo' }).click();
  await views(window, 'red.png');
  await page.keyboard.press('Escape');
  await closed(window);
  await eventually(async () => assert.equal(await focused(window), 'red.png', 'the picture seen last has the focus'));
  await eventually(() => assert.equal(new URL(page.url()).hash, ''));
  await window.close();
});

test('with the keyboard alone: Enter opens it, the focus stays inside, keys zoom, pan and go on', async () => {
  await three();
  const window = await open();
  const { page } = window;
  await tabTo(window, 'green.png');
  await page.keyboard.press('Enter');
  await views(window, 'green.png');
  const inside = () => page.evaluate(() => document.activeElement === document.body || document.activeElement.closest('#lightbox') !== null);
  const reached = new Set();
  for (let press = 0; press < 30; press += 1) {
    await page.keyboard.press('Tab');
    assert.ok(await inside(), 'the focus is in the large view');
    reached.add(await focused(window));
  }
  for (const name of ['Close', 'Previous photo', 'Next photo', 'Zoom in', 'Download', 'Copy link', 'Delete']) {
    assert.ok(reached.has(name), `${name} can be reached: ${[...reached]}`);
  }
  await page.locator('[data-stage]').focus();
  const fitting = await shownWidth(window);
  await page.keyboard.press('0');
  await eventually(async () => assert.equal(await shownWidth(window), 1600));
  assert.match(await page.locator('#lightbox [data-scale]').innerText(), /100 %/);
  const x = await shownAt(window);
  await page.keyboard.press('ArrowRight');
  await eventually(async () => assert.equal(await shownAt(window), x - 80));
  assert.equal(await page.locator('#lightbox-name').innerText(), 'green.png', 'a zoomed picture is panned');
  await page.keyboard.press('1');
  await eventually(async () => assert.equal(await shownWidth(window), fitting));
  await page.keyboard.press('+');
  await eventually(async () => assert.equal(await shownWidth(window), Math.round(fitting * 1.5)));
  await page.keyboard.press('PageDown');
  await views(window, 'blue.png');
  await eventually(async () => assert.equal(await shownWidth(window), fitting, 'another picture is seen whole'));
  await page.keyboard.press('Escape');
  await closed(window);
  await window.close();
});

test('wheel, double click and buttons zoom at the pointer, and dragging pans', async () => {
  await three();
  const window = await open();
  const { page } = window;
  await page.mouse.dblclick(...(await middleOf(window, 'red.png')));
  await views(window, 'red.png');
  const fitting = await shownWidth(window);
  const middle = [472, 396];
  await page.mouse.move(...middle);
  await page.mouse.wheel(0, -120);
  await eventually(async () => assert.ok((await shownWidth(window)) > fitting * 1.2));
  await page.mouse.dblclick(...middle);
  await eventually(async () => assert.equal(await shownWidth(window), fitting));
  await page.mouse.dblclick(...middle);
  await eventually(async () => assert.ok((await shownWidth(window)) >= 1600));
  await page.waitForTimeout(250); // It glides there.
  const x = await shownAt(window);
  await page.mouse.move(...middle);
  await page.mouse.down();
  await page.mouse.move(middle[0] + 50, middle[1], { steps: 3 });
  await page.mouse.up();
  assert.equal(await shownAt(window), x + 50);
  await page.locator('#lightbox').getByRole('button', { name: 'Fit to window' }).click();
  await eventually(async () => assert.equal(await shownWidth(window), fitting));
  await page.locator('#lightbox').getByRole('button', { name: 'Zoom in' }).click();
  await eventually(async () => assert.equal(await shownWidth(window), Math.round(fitting * 1.5)));
  await window.close();
});

test('on a phone a double tap opens it, swiping goes on, two fingers zoom, and everything has room', async () => {
  await three();
  const window = await open(PHONE);
  const { page } = window;
  const fingers = await Fingers.on(window);
  const image = window.picture('green.png').locator('img');
  const at = await middleOf(window, 'green.png');
  for (const type of ['Start', 'End', 'Start', 'End']) await fingers.touch(type, ...(type === 'Start' ? [at] : []));
  await views(window, 'green.png');
  await fingers.drag([300, 300], [120, 310]);
  await views(window, 'blue.png');
  await fingers.drag([100, 300], [280, 300]);
  await views(window, 'green.png');
  const fitting = await shownWidth(window);
  await fingers.pinch([195, 320], 100, 200);
  await eventually(async () => assert.ok(Math.abs((await shownWidth(window)) - fitting * 2) < 4));
  await fingers.drag([300, 300], [200, 300]);
  assert.equal(await page.locator('#lightbox-name').innerText(), 'green.png', 'a zoomed picture is panned');
  for (const type of ['Start', 'End', 'Start', 'End']) await fingers.touch(type, ...(type === 'Start' ? [[195, 320]] : []));
  await eventually(async () => assert.equal(await shownWidth(window), fitting, 'a double tap shows all of it'));

  await page.getByRole('button', { name: 'Details' }).tap();
  for (const name of ['Close', 'Next photo', 'Delete', 'Copy link', 'Details']) {
    const { x, y, width, height } = await window.boxOf(dialog(window).getByRole('button', { name }));
    assert.ok(width >= 40 && height >= 40 && x >= 0 && x + width <= 390 && y + height <= 844, `${name}: ${[x, y, width, height]}`);
  }
  await page.getByLabel('Description').waitFor();
  assert.equal(await page.evaluate(() => document.querySelector('#lightbox').scrollWidth), 390);
  await page.getByRole('button', { name: 'Close' }).tap();
  await closed(window);
  await image.tap();
  await page.getByRole('button', { name: 'Open green.png' }).tap();
  await views(window, 'green.png');
  await page.goBack();
  await closed(window);
  await window.shows('red.png', 'green.png', 'blue.png');
  await window.close();
});

test('a picture is downloaded, and its link copied, also on plain http where pages have no clipboard', async () => {
  const [id] = await three();
  const withheld = (context) => context.addInitScript(() => delete Navigator.prototype.clipboard);
  const window = await open({ acceptDownloads: true, prepare: withheld, permissions: ['clipboard-read', 'clipboard-write'] });
  const { page } = window;
  assert.equal(await page.evaluate(() => navigator.clipboard), undefined);
  await page.mouse.dblclick(...(await middleOf(window, 'red.png')));
  await views(window, 'red.png');
  const [download] = await Promise.all([page.waitForEvent('download'), dialog(window).getByRole('link', { name: 'Download' }).click()]);
  assert.equal(download.suggestedFilename(), 'red.png');
  assert.deepEqual(await readFile(await download.path()), red.bytes);

  await page.getByRole('button', { name: 'Copy link' }).click();
  await page.getByText('Link copied').waitFor();
  assert.equal(await focused(window), 'Copy link', 'the focus stays');
  await page.getByLabel('Description').focus();
  await page.keyboard.press('Control+v');
  const link = await page.getByLabel('Description').inputValue();
  assert.equal(link, `${server.url}/#image=${id}`);
  await page.getByLabel('Description').fill('');
  await window.close();

  const other = await Window.open(browser, link);
  await views(other, 'red.png');
  await other.page.keyboard.press('Escape');
  await closed(other);
  await eventually(async () => assert.equal(other.page.url(), `${server.url}/`));
  await eventually(async () => assert.equal(await focused(other), 'red.png'));
  await other.close();
});

test('a link to a picture that is gone says so and shows the board', async () => {
  await three();
  const window = await open({}, '#image=0194bd2c-7a00-7000-8000-000000000001');
  await window.page.getByText('This photo is no longer on the board.').waitFor();
  await window.shows('red.png', 'green.png', 'blue.png');
  assert.equal(new URL(window.page.url()).hash, '');
  await window.close();
});

test('a description is stored, shown to everybody, and read out in place of the file name', async () => {
  const [id] = await three();
  const [one, two] = [await open({}, `#image=${id}`), await open({}, `#image=${id}`)];
  await views(one, 'red.png');
  await views(two, 'red.png');
  await one.page.getByLabel('Description').fill('A red square');
  await one.page.keyboard.press('Enter');
  await one.page.getByText('Saved.').waitFor();
  await eventually(async () => assert.equal(await two.page.getByLabel('Description').inputValue(), 'A red square'));
  assert.equal((await server.images()).find((image) => image.id === id).alt, 'A red square');
  for (const window of [one, two]) {
    assert.equal(await dialog(window).locator('[data-image]').getAttribute('alt'), 'A red square');
    await window.page.keyboard.press('Escape');
    await closed(window);
    await window.page.getByRole('application', { name: 'A red square' }).waitFor();
    assert.equal(await window.picture('red.png').locator('img').getAttribute('alt'), 'A red square');
  }
  await one.page.keyboard.press('Enter');
  await one.page.getByLabel('Description').fill('');
  await one.page.keyboard.press('Escape');
  await closed(one);
  await two.page.getByRole('application', { name: 'red.png' }).waitFor();
  await eventually(async () => assert.ok(!(await server.images()).find((image) => image.id === id).alt));
  for (const window of [one, two]) await window.close();
});

test('a picture that somebody deletes while it is looked at says so, and Undo brings it back', async () => {
  const [, id] = await three();
  const window = await open({}, `#image=${id}`);
  const { page } = window;
  await views(window, 'green.png');
  await page.getByRole('button', { name: 'Copy link' }).focus();
  await server.delete(id);
  await page.locator('#lightbox [data-gone]').getByText('Someone deleted green.png.').waitFor();
  assert.equal(await page.locator('#deleted').isVisible(), false, 'it is said once');
  assert.equal(await focused(window), 'Undo', 'what had the focus cannot be used now');
  await page.keyboard.press('Enter');
  await page.locator('#lightbox [data-gone]').waitFor({ state: 'hidden' });
  await eventually(async () => assert.equal((await server.images()).length, 3));
  await said(window, /green\.png is back/);
  await server.delete(id);
  await page.locator('#lightbox [data-gone]').getByText('Someone deleted green.png.').waitFor();
  await page.keyboard.press('Escape');
  await closed(window);
  await window.shows('red.png', 'blue.png');
  await window.close();
});

test('a picture deleted in the large view makes room for the next one, and can be brought back there', async () => {
  const [id] = await three();
  const [one, two] = [await open({}, `#image=${id}`), await open()];
  await views(one, 'red.png');
  await one.page.keyboard.press('Delete');
  await views(one, 'green.png');
  await two.shows('green.png', 'blue.png');
  await one.page.getByText('You deleted red.png').waitFor();
  await one.page.locator('#deleted').getByRole('button', { name: 'Undo' }).click();
  for (const window of [one, two]) await window.shows('red.png', 'green.png', 'blue.png');
  await eventually(async () => assert.equal(await one.page.locator('#lightbox [data-count]').innerText(), '2 of 3'));
  for (const each of ['green.png', 'blue.png', 'red.png']) {
    await views(one, each);
    await one.page.keyboard.press('Delete');
    await two.picture(each).waitFor({ state: 'detached' });
  }
  await closed(one);
  await one.page.getByRole('heading', { name: 'Drop photos here' }).waitFor();
  for (const window of [one, two]) await window.close();
});
