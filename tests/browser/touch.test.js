import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch } from './helpers/browser.js';
import { picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const red = picture('red.png', { colour: [190, 40, 40] });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

/** Fingers, as the screen reports them. */
class Fingers {
  static async on(window) {
    return new Fingers(await window.context.newCDPSession(window.page));
  }

  constructor(session) {
    this.session = session;
  }

  touch(type, ...points) {
    const touchPoints = points.map(([x, y], id) => ({ x, y, id }));
    return this.session.send('Input.dispatchTouchEvent', { type: `touch${type}`, touchPoints });
  }
}

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
