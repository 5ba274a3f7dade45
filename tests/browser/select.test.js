import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { focused, middleOf, placeOf, said, selected, settledBox, tabTo } from './helpers/board.js';
import { Window, eventually, launch } from './helpers/browser.js';
import { Fingers, PHONE } from './helpers/fingers.js';
import { picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const red = picture('red.png', { colour: [190, 40, 40] });
const green = picture('green.png', { colour: [30, 140, 60] });
const blue = picture('blue.png', { colour: [40, 60, 190] });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

const open = (options) => Window.open(browser, `${server.url}/`, options);

/** Three in a row, with room between them. */
async function threeInARow() {
  await server.upload(red, { x: -320, y: -60, w: 160 });
  await server.upload(green, { x: -80, y: -60, w: 160 });
  await server.upload(blue, { x: 160, y: -60, w: 160 });
}

/** Where the server has them, by name. */
async function places() {
  return Object.fromEntries((await server.images()).map(({ fileName, x, y, z }) => [fileName, { x, y, z }]));
}

test('pictures are selected by a click, with shift, by a band, all by Ctrl+A, and none by Escape', async () => {
  await threeInARow();
  const window = await open();
  const { page } = window;
  const click = async (name, modifiers = []) => {
    const [x, y] = await middleOf(window, name);
    for (const key of modifiers) await page.keyboard.down(key);
    await page.mouse.click(x, y);
    for (const key of modifiers) await page.keyboard.up(key);
  };
  const are = (...names) => eventually(async () => assert.deepEqual(await selected(window), names.sort()));

  await click('red.png');
  await are('red.png');
  await click('green.png', ['Shift']);
  await are('green.png', 'red.png');
  await said(window, /2 selected/);
  await click('red.png', ['Shift']);
  await are('green.png');
  await click('blue.png', ['Control']);
  await are('blue.png', 'green.png');
  await click('red.png');
  await are('red.png');
  await page.mouse.click(100, 600);
  await are();

  const box = await settledBox(window, 'green.png');
  await page.keyboard.down('Shift');
  await page.mouse.move(box.x - 20, box.y - 40);
  await page.mouse.down();
  await page.mouse.move(1200, box.y + 20, { steps: 4 });
  await page.locator('#band').waitFor();
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await page.locator('#band').waitFor({ state: 'hidden' });
  await are('blue.png', 'green.png');
  assert.equal((await settledBox(window, 'green.png')).x, box.x, 'the board was not panned');

  await page.keyboard.press('Control+a');
  await are('blue.png', 'green.png', 'red.png');
  assert.equal(await page.locator('#selection [data-count]').innerText(), '3 selected');
  const description = await page.getByRole('application', { name: 'red.png' }).getAttribute('aria-describedby');
  assert.ok(description.split(' ').includes('tile-selected'), 'a screen reader is told that it is selected');
  await page.keyboard.press('Escape');
  await are();
  await page.locator('#selection').waitFor({ state: 'hidden' });
  await window.close();
});

test('dragging one of the selected moves them all, others see it live, and they lie in front in their own order', async () => {
  await threeInARow();
  const top = await server.upload(picture('top.png', { colour: [200, 180, 20] }), { x: -80, y: 200, w: 100 });
  const before = await places();
  const [one, two] = [await open(), await open()];
  await two.shows('red.png', 'green.png', 'blue.png', 'top.png');
  await one.page.keyboard.down('Shift');
  for (const name of ['green.png', 'red.png']) await one.page.mouse.click(...(await middleOf(one, name)));
  await one.page.keyboard.up('Shift');
  const [x, y] = await middleOf(one, 'green.png');
  await one.page.mouse.move(x, y);
  await one.page.mouse.down();
  await one.page.mouse.move(x + 60, y - 40, { steps: 5 });
  for (const name of ['red.png', 'green.png']) {
    await eventually(async () => assert.equal((await placeOf(two, name)).y, -100, `${name} is seen moving`));
  }
  await one.page.mouse.move(x + 100, y - 80, { steps: 5 });
  await one.page.mouse.up();
  await eventually(async () => {
    const now = await places();
    for (const name of ['red.png', 'green.png']) {
      assert.deepEqual([now[name].x, now[name].y], [before[name].x + 100, before[name].y - 80], name);
    }
    assert.deepEqual(now['blue.png'], before['blue.png'], 'what is not selected stays');
    assert.ok(now['red.png'].z > top.z, 'they are in front');
    assert.ok(now['green.png'].z > now['red.png'].z, 'what lay above lies above');
    for (const window of [one, two]) {
      for (const name of ['red.png', 'green.png', 'blue.png']) {
        const place = await placeOf(window, name);
        assert.deepEqual([place.x, place.y], [now[name].x, now[name].y]);
      }
    }
  });
  for (const window of [one, two]) await window.close();
});

test('moving many sends at most 30 updates a second in all, soft ones on the way and one hard one for each at the end', async () => {
  for (let at = 0; at < 12; at += 1) {
    await server.upload(picture(`${at}.png`, { width: 40, height: 40, colour: [at * 20, 90, 90] }), { x: at * 60 - 360, y: 0, w: 50 });
  }
  const sent = [];
  const window = await open({
    prepare: async (context) =>
      context.on('page', (page) =>
        page.on('websocket', (socket) =>
          socket.on('framesent', ({ payload }) => {
            const { event, data } = JSON.parse(payload);
            if (event === 'Image:update') sent.push({ ...data, at: performance.now() });
          }),
        ),
      ),
  });
  const { page } = window;
  await page.keyboard.press('Control+a');
  const [x, y] = await middleOf(window, '5.png');
  await page.mouse.move(x, y);
  await page.mouse.down();
  const began = performance.now();
  for (let step = 1; step <= 100; step += 1) {
    await page.mouse.move(x + step, y + step);
    await page.waitForTimeout(10);
  }
  const seconds = (performance.now() - began) / 1000;
  const onTheWay = sent.length;
  await page.mouse.up();
  await eventually(async () => {
    for (const image of await server.images()) assert.equal(image.y, 100, image.fileName);
  });
  assert.ok(sent.slice(0, onTheWay).every(({ moving }) => moving === true), 'all on the way are soft');
  assert.ok(onTheWay <= 30 * seconds + 1, `${onTheWay} updates in ${seconds} s`);
  assert.ok(onTheWay >= 5, `it was told on the way: ${onTheWay} times`);
  const hard = sent.filter(({ moving }) => moving === undefined).map(({ id }) => id);
  assert.equal(hard.length, 12);
  assert.equal(new Set(hard).size, 12);
  await window.close();
});

test('two people drag one picture at the same time; afterwards all windows and the server agree', async () => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const windows = [await open(), await open(), await open()];
  const [one, two] = windows;
  for (const window of [one, two]) {
    await window.page.mouse.move(...(await middleOf(window, 'red.png')));
    await window.page.mouse.down();
  }
  const drag = async ({ page }, dx, dy) => {
    for (let step = 1; step <= 20; step += 1) await page.mouse.move(640 + step * dx, 400 + step * dy);
    await page.mouse.up();
  };
  await Promise.all([drag(one, 8, 2), drag(two, -7, -5)]);
  await eventually(async () => {
    const [{ x, y }] = await server.images();
    assert.notDeepEqual([x, y], [-120, -75]);
    for (const window of windows) {
      const place = await placeOf(window, 'red.png');
      assert.deepEqual([place.x, place.y], [x, y]);
      assert.equal(await window.page.locator('.tile.is-held').count(), 0);
    }
  });
  for (const window of windows) await window.close();
});

test('what others move glides on the screen, and jumps for those who want less motion', async () => {
  await server.upload(red, { x: -320, y: -75, w: 240 });
  const mover = await open();
  const watchers = [];
  for (const reducedMotion of ['no-preference', 'reduce']) {
    const window = await open({ reducedMotion });
    await window.shows('red.png');
    await window.picture('red.png').evaluate((tile) => {
      globalThis.seen = new Set();
      const look = () => {
        globalThis.seen.add(Math.round(new DOMMatrix(getComputedStyle(tile).transform).m41));
        requestAnimationFrame(look);
      };
      look();
    });
    watchers.push(window);
  }
  await tabTo(mover, 'red.png');
  await mover.page.keyboard.press('Shift+ArrowRight');
  for (const window of watchers) await eventually(async () => assert.equal((await placeOf(window, 'red.png')).x, -220));
  const [gliding, jumping] = await Promise.all(watchers.map(({ page }) => page.evaluate(() => [...globalThis.seen])));
  const between = (places) => places.filter((x) => x > -320 && x < -220).length;
  assert.ok(between(gliding) >= 2, `it is seen on its way: ${gliding}`);
  assert.equal(between(jumping), 0, `it is not seen on its way: ${jumping}`);
  for (const window of [mover, ...watchers]) await window.close();
});

test('with the keyboard alone several are selected, moved and deleted together', async () => {
  await threeInARow();
  const before = await places();
  const [one, two] = [await open(), await open()];
  await tabTo(one, 'red.png');
  await one.page.keyboard.press('Space');
  await tabTo(one, 'green.png');
  await one.page.keyboard.press('Space');
  await said(one, /2 selected/);
  await one.page.keyboard.press('ArrowRight');
  await one.page.keyboard.press('Shift+ArrowDown');
  await eventually(async () => {
    const now = await places();
    for (const name of ['red.png', 'green.png']) {
      assert.deepEqual([now[name].x - before[name].x, now[name].y - before[name].y], [10, 100], name);
    }
  });
  await said(one, /2 photos moved/);
  await one.page.keyboard.press('Delete');
  for (const window of [one, two]) await window.shows('blue.png');
  await eventually(async () => assert.equal(await focused(one), 'blue.png'));
  await said(one, /You deleted 2 photos/);

  await one.page.keyboard.press('Control+a');
  await one.page.keyboard.press('ArrowUp');
  await eventually(async () => assert.equal((await places())['blue.png'].y, before['blue.png'].y - 10));
  for (const window of [one, two]) await window.close();
});

test('Escape puts back all that are dragged together', async () => {
  await threeInARow();
  const before = await places();
  const window = await open();
  await window.page.keyboard.press('Control+a');
  const [x, y] = await middleOf(window, 'green.png');
  await window.page.mouse.move(x, y);
  await window.page.mouse.down();
  await window.page.mouse.move(x + 80, y + 60, { steps: 4 });
  await eventually(async () => assert.notEqual((await places())['red.png'].x, before['red.png'].x));
  await window.page.keyboard.press('Escape');
  await window.page.mouse.up();
  await eventually(async () => assert.deepEqual(await places(), before));
  assert.equal((await selected(window)).length, 3, 'they stay selected');
  await eventually(async () => assert.equal(await window.page.locator('.tile.is-held').count(), 0));
  await window.close();
});

test('on a phone several are selected with fingers, by taps and by a band, moved and deleted together', async () => {
  await server.upload(red, { x: -150, y: -100, w: 120 });
  await server.upload(green, { x: 20, y: -100, w: 120 });
  await server.upload(blue, { x: -60, y: 100, w: 120 });
  const window = await open(PHONE);
  const { page } = window;
  const fingers = await Fingers.on(window);
  const button = page.getByRole('button', { name: 'Select several' });
  await button.tap();
  assert.equal(await button.getAttribute('aria-pressed'), 'true');
  await window.picture('red.png').locator('img').tap();
  await window.picture('green.png').locator('img').tap();
  const are = (...names) => eventually(async () => assert.deepEqual(await selected(window), names));
  await are('green.png', 'red.png');

  const before = await places();
  const [x, y] = await middleOf(window, 'red.png');
  await fingers.drag([x, y], [x + 30, y + 50]);
  await eventually(async () => {
    const now = await places();
    for (const name of ['red.png', 'green.png']) {
      assert.deepEqual([now[name].x - before[name].x, now[name].y - before[name].y], [30, 50], name);
    }
  });

  await window.picture('green.png').locator('img').tap();
  await are('red.png');
  const box = await settledBox(window, 'blue.png');
  await fingers.drag([box.x - 30, box.y + box.height + 40], [box.x + 40, box.y + 20]);
  await are('blue.png', 'red.png');
  const remove = page.locator('#selection').getByRole('button', { name: 'Delete' });
  for (const each of [remove, button]) {
    const { height, width } = await window.boxOf(each);
    assert.ok(height >= 36 && width >= 36, `it can be hit: ${width} by ${height}`);
  }
  await remove.tap();
  await window.shows('green.png');
  await button.tap();
  assert.equal(await button.getAttribute('aria-pressed'), 'false');
  await window.close();
});
