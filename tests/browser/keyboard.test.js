import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { focused, said, tabTo } from './helpers/board.js';
import { Window, eventually, launch } from './helpers/browser.js';
import { onDisk, picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const red = picture('red.png', { colour: [190, 40, 40] });
const green = picture('green.png', { colour: [30, 140, 60] });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

test('with the keyboard alone a picture is added, moved, resized and deleted, and a screen reader hears of it', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  const { page } = window;
  await tabTo(window, 'Choose photos');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  await chooser.setFiles(await onDisk(red));
  await window.shows('red.png');
  await said(window, /red\.png added/);
  const [before] = await server.images();

  await page.evaluate(() => document.activeElement.blur());
  await tabTo(window, 'red.png');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, 'solid', 'the focus can be seen');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowDown');
  await eventually(async () => {
    const [{ x, y }] = await server.images();
    assert.deepEqual([Math.round(x - before.x), Math.round(y - before.y)], [20, 100]);
  });
  await said(window, /red\.png moved/);

  await tabTo(window, 'Width of red.png');
  await page.keyboard.press('ArrowRight');
  await eventually(async () => assert.equal(Math.round((await server.images())[0].w - before.w), 10));
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-valuenow')), String(Math.round(before.w + 10)));

  await page.keyboard.press('Shift+Tab');
  assert.equal(await focused(window), 'Delete red.png');
  await page.keyboard.press('Enter');
  await window.shows();
  await said(window, /red\.png was deleted/);
  await eventually(async () => assert.deepEqual(await server.images(), []));
  await window.close();
});

test('Tab walks through all pictures, also those far away, and the board follows', async () => {
  for (let at = 0; at < 12; at += 1) {
    await server.upload(picture(`${at}.png`, { width: 40, height: 40, colour: [at * 20, 90, 90] }), { x: at * 3000, y: 0, w: 200 });
  }
  const window = await Window.open(browser, `${server.url}/`);
  await window.page.getByRole('button', { name: 'Actual size' }).click();
  await window.page.evaluate(() => document.activeElement.blur());
  for (let at = 0; at < 12; at += 1) {
    await tabTo(window, `${at}.png`);
    await eventually(async () => {
      const { x, width } = await window.boxOf(window.picture(`${at}.png`));
      assert.ok(x >= 0 && x + width <= 1280, `${at}.png is in view`);
    });
  }
  assert.equal(await window.page.evaluate(() => document.querySelector('#surface').scrollLeft), 0);
  await window.close();
});

test('Delete removes the picture that has the focus, and the next one gets it', async () => {
  await server.upload(red, { x: -300, y: 0, w: 200 });
  await server.upload(green, { x: 100, y: 0, w: 200 });
  const window = await Window.open(browser, `${server.url}/`);
  await tabTo(window, 'red.png');
  await window.page.keyboard.press('Delete');
  await window.shows('green.png');
  await eventually(async () => assert.equal(await focused(window), 'green.png'));
  await window.close();
});

test('the board itself pans and zooms by keys', async () => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await Window.open(browser, `${server.url}/`);
  await tabTo(window, 'Board');
  const start = await window.boxOf(window.picture('red.png'));
  await window.page.keyboard.press('ArrowRight');
  await eventually(async () => assert.equal((await window.boxOf(window.picture('red.png'))).x, start.x - 80));
  await window.page.keyboard.press('+');
  await eventually(async () => assert.equal(Math.round((await window.boxOf(window.picture('red.png'))).width), 300));
  await window.page.keyboard.press('0');
  await eventually(async () => assert.equal(Math.round((await window.boxOf(window.picture('red.png'))).width), 240));
  await window.close();
});
