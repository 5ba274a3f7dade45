import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch } from './helpers/browser.js';
import { Fingers, PHONE } from './helpers/fingers.js';
import { picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const red = picture('red.png', { colour: [190, 40, 40] });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

test('on a phone one finger moves a picture and pans the empty board, and two fingers zoom', async () => {
  await server.upload(red, { x: -100, y: -62.5, w: 200 });
  const window = await Window.open(browser, `${server.url}/`, PHONE);
  const fingers = await Fingers.on(window);
  const box = () => window.boxOf(window.picture('red.png'));
  await window.shows('red.png');
  const start = await box();

  await fingers.touch('Start', [start.x + 50, start.y + 50]);
  for (let step = 1; step <= 5; step += 1) await fingers.touch('Move', [start.x + 50, start.y + 50 + step * 20]);
  await fingers.touch('End');
  await eventually(async () => {
    const [{ x, y }] = await server.images();
    assert.deepEqual([x, y], [-100, 37.5]);
  });

  await fingers.touch('Start', [60, 200]);
  for (let step = 1; step <= 5; step += 1) await fingers.touch('Move', [60, 200 - step * 20]);
  await fingers.touch('End');
  await eventually(async () => assert.equal(Math.round((await box()).y), Math.round(start.y)));

  const middle = [start.x + 100, start.y + 60];
  await fingers.touch('Start', [middle[0] - 40, middle[1]], [middle[0] + 40, middle[1]]);
  for (let step = 1; step <= 5; step += 1) {
    await fingers.touch('Move', [middle[0] - 40 - step * 8, middle[1]], [middle[0] + 40 + step * 8, middle[1]]);
  }
  await fingers.touch('End');
  await eventually(async () => assert.equal(Math.round((await box()).width), 400));
  const [{ x, y }] = await server.images();
  assert.deepEqual([x, y], [-100, 37.5], 'zooming with two fingers on a picture moves nothing');
  await window.close();
});

test('on a phone a tap shows what can be done with a picture, and nothing is too small for a finger', async () => {
  await server.upload(red, { x: -30, y: -20, w: 60 });
  const window = await Window.open(browser, `${server.url}/`, PHONE);
  await window.picture('red.png').locator('img').tap();
  const button = window.page.getByRole('button', { name: 'Delete red.png' });
  await button.waitFor();
  const { width, height, y } = await window.boxOf(button);
  assert.ok(width >= 40 && height >= 40, `${width} by ${height}`);
  const picture = await window.boxOf(window.picture('red.png'));
  assert.ok(y + height <= picture.y + 1, 'on a small picture it lies outside, not to be hit by mistake');
  await button.tap();
  await window.shows();
  await window.close();
});

test('a tap, or two, where a button is about to appear does not press it', async () => {
  await server.upload(red, { x: -100, y: -60, w: 200 });
  const window = await Window.open(browser, `${server.url}/`, PHONE);
  const fingers = await Fingers.on(window);
  const { x, y, width } = await window.boxOf(window.picture('red.png'));
  const corner = [x + width - 20, y + 20];
  await fingers.touch('Start', corner);
  await fingers.touch('End');
  const box = await window.boxOf(window.page.getByRole('button', { name: 'Delete red.png' }));
  assert.ok(box.x < corner[0] && box.x + box.width > corner[0] && box.y + box.height > corner[1], 'the button is there now');
  // Elsewhere, so that the picture is let go; then twice, as fast as fingers are, however busy the machine.
  await window.page.touchscreen.tap(30, y + 300);
  await window.page.getByRole('button', { name: 'Delete red.png' }).waitFor({ state: 'hidden' });
  await Promise.all([
    fingers.touch('Start', corner),
    fingers.touch('End'),
    fingers.touch('Start', corner),
    fingers.touch('End'),
  ]);
  await window.page.getByRole('dialog', { name: 'red.png' }).waitFor();
  assert.equal((await server.images()).length, 1);
  await window.close();
});

test('on the narrowest phone Undo is in reach of a finger, however long the name', async () => {
  const name = 'A garden in the evening, seen from the window of the kitchen.png';
  await server.upload(red, { x: -100, y: -60, w: 200, fileName: name });
  const window = await Window.open(browser, `${server.url}/`, { ...PHONE, viewport: { width: 320, height: 568 } });
  const { page } = window;
  await window.picture(name).locator('img').tap();
  await page.getByRole('button', { name: `Delete ${name}` }).tap();
  const undo = page.locator('#deleted').getByRole('button', { name: 'Undo' });
  const { x, width, height } = await window.boxOf(undo);
  assert.ok(x >= 0 && x + width <= 320 && width >= 40 && height >= 40, `${[x, width, height]}`);
  await undo.tap();
  await window.shows(name);
  const other = await Window.open(browser, `${server.url}/`);
  await page.getByText('2 here').waitFor();
  for (const button of await page.locator('.bar a, .bar button, #connection, .tools button').all()) {
    if (!(await button.isVisible())) continue;
    const box = await window.boxOf(button);
    assert.ok(box.x >= 0 && box.x + box.width <= 320, `${await button.getAttribute('aria-label')} is on the screen: ${box.x}`);
  }
  await other.close();
  await window.close();
});
