import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch, pixelOf } from './helpers/browser.js';
import { picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const large = picture('large.png', { colour: [190, 40, 40], width: 2000, height: 1000 });
const small = picture('small.png', { colour: [30, 140, 60], width: 60, height: 40 });
const gif = { name: 'moving.gif', bytes: await readFile(new URL('../files/animated.gif', import.meta.url)) };

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

const open = (options) => Window.open(browser, `${server.url}/`, options);
const image = (window, name) => window.picture(name).locator('img');
const widthOf = (window, name) => image(window, name).evaluate(({ naturalWidth }) => naturalWidth);
const isAskedFor = (window, path) => window.requests.some((url) => new URL(url).pathname === path);

async function zoom(window, name, delta, times) {
  const { x, y, width, height } = await window.boxOf(window.picture(name));
  await window.page.mouse.move(x + width / 2, y + height / 2);
  await window.page.keyboard.down('Control');
  for (let turn = 0; turn < times; turn += 1) await window.page.mouse.wheel(0, delta);
  await window.page.keyboard.up('Control');
}

test('a tile shows the thumbnail, and all of the picture when it is zoomed in past it, without a flash', async () => {
  const { url, thumb } = await server.upload(large, { x: -120, y: -60, w: 240 });
  assert.ok(thumb, 'it has a thumbnail');
  const window = await open();
  await eventually(async () => assert.equal(await widthOf(window, 'large.png'), 512));
  assert.ok(isAskedFor(window, thumb) && !isAskedFor(window, url), 'only the thumbnail is asked for');

  await window.page.evaluate(() => {
    window.blank = 0;
    const look = () => {
      const shown = document.querySelector('.tile img');
      if (!shown.complete || shown.naturalWidth === 0) window.blank += 1;
      requestAnimationFrame(look);
    };
    look();
  });
  await zoom(window, 'large.png', -40, 3);
  await eventually(async () => assert.equal(await widthOf(window, 'large.png'), 2000));
  await zoom(window, 'large.png', 40, 1);
  await window.page.waitForTimeout(400);
  assert.equal(await widthOf(window, 'large.png'), 2000, 'a little smaller it stays');
  await zoom(window, 'large.png', 40, 2);
  await eventually(async () => assert.equal(await widthOf(window, 'large.png'), 512));
  assert.equal(await window.page.evaluate(() => window.blank), 0, 'frames without a picture');
  assert.equal(await image(window, 'large.png').getAttribute('alt'), 'large.png');
  await window.close();
});

test('on a screen of many pixels all of the picture is there earlier', async () => {
  await server.upload(large, { x: -150, y: -75, w: 300 });
  const window = await open({ deviceScaleFactor: 2 });
  await eventually(async () => assert.equal(await widthOf(window, 'large.png'), 2000));
  await window.close();
});

test('a picture that has no thumbnail, or whose thumbnail cannot be had, is shown itself', async () => {
  const record = await server.upload(small, { x: -200, y: 0 });
  assert.equal(record.thumb, undefined);
  await server.upload(large, { x: 100, y: 0 });
  const window = await open({ prepare: (context) => context.route('**/thumb', (route) => route.fulfill({ status: 404 })) });
  await window.paints('small.png', small.colour);
  await eventually(async () => assert.equal(await widthOf(window, 'large.png'), 2000));
  await window.close([/status of 404/]);
});

test('only pictures near the view are loaded', async () => {
  await server.upload(small, { x: 0, y: 0 });
  const far = await server.upload(picture('far.png', { colour: [90, 90, 200], width: 800, height: 600 }), { x: 30000, y: 0 });
  await server.upload(picture('last.png', { colour: [200, 90, 90], width: 800, height: 600 }), { x: 0, y: 300 });
  const window = await open();
  await window.page.getByRole('button', { name: 'Actual size' }).click();
  await window.paints('small.png', small.colour);
  await window.page.waitForTimeout(300);
  await window.page.reload();
  await window.ready();
  window.requests.length = 0;
  await window.page.waitForTimeout(300);
  assert.ok(!isAskedFor(window, far.thumb) && !isAskedFor(window, far.url));
  await window.close();
});

test('an animation shows its first picture, plays while it is pointed at, and never where motion is to be reduced', async () => {
  const { url, thumb } = await server.upload(gif, { x: -120, y: -90, w: 240 });
  for (const reducedMotion of ['no-preference', 'reduce']) {
    const window = await open({ reducedMotion });
    const source = () => image(window, gif.name).evaluate(({ src }) => new URL(src).pathname);
    await eventually(async () => assert.notEqual(await pixelOf(image(window, gif.name)), null));
    assert.equal(await source(), thumb);
    await window.picture(gif.name).hover();
    if (reducedMotion === 'reduce') {
      await window.page.waitForTimeout(500);
      assert.equal(await source(), thumb);
    } else {
      await eventually(async () => assert.equal(await source(), url));
      await window.page.mouse.move(20, 400);
      await eventually(async () => assert.equal(await source(), thumb));
    }
    await window.close();
  }
});
