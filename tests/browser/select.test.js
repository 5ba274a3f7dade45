import { expect, test } from './fixtures.js';
import { announces, areSelected, hasFocus, isPlaced, middleOf, placementOf, settledBox, focusPhoto, uploadRow } from './support/board.js';
import { image } from './support/images.js';
import { PHONE, Touch } from './support/touch.js';
import { eventually } from './support/window.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });
const row = [red, green, blue];
const names = row.map(({ name }) => name);

/** The placements that the server has stored, by name. */
async function placements(server) {
  return Object.fromEntries((await server.images()).map(({ fileName, x, y, z }) => [fileName, { x, y, z }]));
}

/** Waits until the server has moved these images by this distance. */
async function areMovedBy(server, before, [dx, dy], ...names) {
  await eventually(async () => {
    const now = await placements(server);
    for (const name of names) expect([now[name].x - before[name].x, now[name].y - before[name].y], name).toEqual([dx, dy]);
  });
}

test('images are selected by click, Shift, a rubber band and Ctrl+A, and deselected by Escape', async ({ server, open }) => {
  await uploadRow(server, row);
  const window = await open();
  const { page } = window;
  const click = async (name, key) => {
    const [x, y] = await middleOf(window, name);
    if (key) await page.keyboard.down(key);
    await page.mouse.click(x, y);
    if (key) await page.keyboard.up(key);
  };

  await click('red.png');
  await areSelected(window, 'red.png');
  await click('green.png', 'Shift');
  await areSelected(window, 'green.png', 'red.png');
  await announces(window, /2 selected/);
  await click('red.png', 'Shift');
  await areSelected(window, 'green.png');
  await click('blue.png', 'Control');
  await areSelected(window, 'blue.png', 'green.png');
  await click('red.png');
  await areSelected(window, 'red.png');
  await page.mouse.click(100, 600);
  await areSelected(window);

  const box = await settledBox(window, 'green.png');
  await page.keyboard.down('Shift');
  await page.mouse.move(box.x - 20, box.y - 40);
  await page.mouse.down();
  await page.mouse.move(1200, box.y + 20, { steps: 4 });
  await expect(page.locator('#band')).toBeVisible();
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await expect(page.locator('#band')).toBeHidden();
  await areSelected(window, 'blue.png', 'green.png');
  expect((await settledBox(window, 'green.png')).x, 'the board is not panned').toBe(box.x);

  await page.keyboard.press('Control+a');
  await areSelected(window, ...names);
  await expect(page.locator('#selection [data-count]')).toHaveText('3 selected');
  await expect(page.getByRole('application', { name: 'red' }), 'described as selected').toHaveAttribute(
    'aria-describedby',
    /(^| )tile-selected( |$)/,
  );
  await page.keyboard.press('Escape');
  await areSelected(window);
  await expect(page.locator('#selection')).toBeHidden();
});

test('dragging a selected image moves all of them, live for others, to the front in their own order', async ({ server, open }) => {
  await uploadRow(server, row);
  const top = await server.upload(image('top.png', { colour: [200, 180, 20] }), { x: -80, y: 200, w: 100 });
  const before = await placements(server);
  const [one, two] = [await open(), await open()];
  await two.shows(...names, 'top.png');
  await one.page.keyboard.down('Shift');
  for (const name of ['green.png', 'red.png']) await one.page.mouse.click(...(await middleOf(one, name)));
  await one.page.keyboard.up('Shift');
  const [x, y] = await middleOf(one, 'green.png');
  await one.page.mouse.move(x, y);
  await one.page.mouse.down();
  await one.page.mouse.move(x + 60, y - 40, { steps: 5 });
  for (const name of ['red.png', 'green.png']) await isPlaced(two, name, { y: -100 });
  await one.page.mouse.move(x + 100, y - 80, { steps: 5 });
  await one.page.mouse.up();
  await eventually(async () => {
    const now = await placements(server);
    for (const name of ['red.png', 'green.png']) {
      expect([now[name].x, now[name].y], name).toEqual([before[name].x + 100, before[name].y - 80]);
    }
    expect(now['blue.png'], 'what is not selected stays').toEqual(before['blue.png']);
    expect(now['red.png'].z, 'they are in front').toBeGreaterThan(top.z);
    expect(now['green.png'].z, 'they keep their order').toBeGreaterThan(now['red.png'].z);
    for (const window of [one, two]) {
      for (const name of names) expect(await placementOf(window, name)).toMatchObject({ x: now[name].x, y: now[name].y });
    }
  });
});

test('moving many sends at most 30 updates a second in all: soft ones meanwhile, and one hard one each at the end', async ({ server, open }) => {
  for (let at = 0; at < 12; at += 1) {
    await server.upload(image(`${at}.png`, { width: 40, height: 40, colour: [at * 20, 90, 90] }), { x: at * 60 - 360, y: 0, w: 50 });
  }
  // The page itself notes when it sends, on its own clock: what the test receives may be late and come in bursts.
  const window = await open({
    prepare: (context) =>
      context.addInitScript(() => {
        globalThis.noted = [];
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (message) {
          const { event, data } = JSON.parse(String(message));
          if (event === 'Image:update') noted.push({ ...data, at: performance.now() });
          send.call(this, message);
        };
      }),
  });
  const { page } = window;
  const sent = () => page.evaluate(() => noted);
  await page.keyboard.press('Control+a');
  const [x, y] = await middleOf(window, '5.png');
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let step = 1; step <= 100; step += 1) await page.mouse.move(x + step, y + step);
  // Every image has been sent on its way once at least before the button is released.
  await expect.poll(async () => new Set((await sent()).map(({ id }) => id)).size).toBe(12);
  const soft = await sent();
  await page.mouse.up();
  await eventually(async () => {
    for (const each of await server.images()) expect(each.y, each.fileName).toBe(100);
  });
  expect(soft.every(({ moving }) => moving === true), 'all updates on the way are soft').toBe(true);
  const seconds = (soft.at(-1).at - soft[0].at) / 1000;
  expect(soft.length, `updates in ${seconds} s`).toBeLessThanOrEqual(30 * seconds + 1);
  expect(soft.length, 'updates on the way').toBeGreaterThanOrEqual(5);
  // The soft updates may have brought every image to its place before the last hard one was sent.
  const hardIds = async () => (await sent()).filter(({ moving }) => moving === undefined).map(({ id }) => id);
  await expect.poll(async () => (await hardIds()).length).toBe(12);
  const hard = await hardIds();
  expect(new Set(hard).size).toBe(12);
});

test('when two viewers drag one image at the same time, all windows and the server agree in the end', async ({ server, open }) => {
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
    const { x, y } = await server.image('red.png');
    expect([x, y]).not.toEqual([-120, -75]);
    for (const window of windows) {
      expect(await placementOf(window, 'red.png')).toMatchObject({ x, y });
      expect(await window.page.locator('.tile.is-held').count()).toBe(0);
    }
  });
});

test('what others move glides on the screen, and jumps where reduced motion is preferred', async ({ server, open }) => {
  await server.upload(red, { x: -320, y: -75, w: 240 });
  const mover = await open();
  const [gliding, jumping] = [await open({ reducedMotion: 'no-preference' }), await open({ reducedMotion: 'reduce' })];
  for (const window of [gliding, jumping]) {
    await window.shows('red.png');
    await window.settled();
    // The transition that the move starts, as the browser runs it: frames could be missed on a busy machine.
    await window.tile('red.png').evaluate((tile) => {
      globalThis.noted = [];
      tile.addEventListener('transitionrun', (/** @type {TransitionEvent} */ { propertyName }) => {
        const transition = tile.getAnimations().find((each) => each instanceof CSSTransition && each.transitionProperty === propertyName);
        noted.push({ propertyName, duration: transition?.effect.getComputedTiming().duration ?? 0 });
      });
    });
  }
  await focusPhoto(mover, 'red');
  await mover.page.keyboard.press('Alt+Shift+ArrowRight');
  for (const window of [gliding, jumping]) await isPlaced(window, 'red.png', { x: -220 });
  const durations = (window) =>
    window.page.evaluate(() => noted.filter(({ propertyName }) => propertyName === 'transform').map(({ duration }) => duration));
  expect(Math.max(...(await durations(gliding)))).toBeGreaterThanOrEqual(100);
  expect(Math.max(0, ...(await durations(jumping)))).toBeLessThan(1);
});

test('with the keyboard alone several images are selected, moved and deleted together', async ({ server, open }) => {
  await uploadRow(server, row);
  const before = await placements(server);
  const [one, two] = [await open(), await open()];
  await focusPhoto(one, 'red');
  await one.page.keyboard.press('Space');
  await focusPhoto(one, 'green');
  await one.page.keyboard.press('Space');
  await announces(one, /2 selected/);
  await one.page.keyboard.press('Alt+ArrowRight');
  await one.page.keyboard.press('Alt+Shift+ArrowDown');
  await areMovedBy(server, before, [10, 100], 'red.png', 'green.png');
  await announces(one, /2 photos moved/);
  await one.page.keyboard.press('Delete');
  for (const window of [one, two]) await window.shows('blue.png');
  await hasFocus(one, 'blue');
  await announces(one, /You deleted 2 photos/);

  await one.page.keyboard.press('Control+a');
  await areSelected(one, 'blue.png');
  await one.page.keyboard.press('Alt+ArrowUp');
  await areMovedBy(server, before, [0, -10], 'blue.png');
});

test('Escape puts back all images that are dragged together', async ({ server, open }) => {
  await uploadRow(server, row);
  const before = await placements(server);
  const window = await open();
  await window.page.keyboard.press('Control+a');
  await areSelected(window, ...names);
  const [x, y] = await middleOf(window, 'green.png');
  await window.page.mouse.move(x, y);
  await window.page.mouse.down();
  await window.page.mouse.move(x + 80, y + 60, { steps: 4 });
  await expect.poll(async () => (await placements(server))['red.png'].x).not.toBe(before['red.png'].x);
  await window.page.keyboard.press('Escape');
  await window.page.mouse.up();
  await expect.poll(() => placements(server)).toEqual(before);
  await expect(window.page.locator('.tile.is-held')).toHaveCount(0);
  await areSelected(window, ...names);
});

test('on a phone several images are selected by taps and by a rubber band, moved and deleted together', async ({ server, open }) => {
  await server.upload(red, { x: -150, y: -100, w: 120 });
  await server.upload(green, { x: 20, y: -100, w: 120 });
  await server.upload(blue, { x: -60, y: 100, w: 120 });
  const window = await open(PHONE);
  const { page } = window;
  const touch = await Touch.on(window);
  const button = page.locator('#select');
  await button.tap();
  await expect(button).toHaveAttribute('aria-pressed', 'true');
  await window.tile('red.png').locator('img').tap();
  await window.tile('green.png').locator('img').tap();
  await areSelected(window, 'green.png', 'red.png');

  const before = await placements(server);
  const [x, y] = await middleOf(window, 'red.png');
  await touch.holdAndDrag([x, y], [x + 30, y + 50]);
  await areMovedBy(server, before, [30, 50], 'red.png', 'green.png');

  await window.settled();
  const [moved, { x: left, y: top }] = [await placements(server), await settledBox(window, 'red.png')];
  await touch.drag([left + 20, top + 20], [left + 50, top + 60]);
  await expect.poll(async () => (await settledBox(window, 'red.png')).x, 'a finger that does not rest pans').toBeCloseTo(left + 30, -1);
  expect(await placements(server)).toEqual(moved);
  await areSelected(window, 'green.png', 'red.png');
  await window.tile('green.png').locator('img').tap();
  await areSelected(window, 'red.png');
  const box = await settledBox(window, 'blue.png');
  await touch.drag([box.x - 30, box.y + box.height + 40], [box.x + 40, box.y + 20]);
  await areSelected(window, 'blue.png', 'red.png');
  const [remove, done] = ['Delete', 'Done'].map((name) => page.locator('#selection').getByRole('button', { name }));
  for (const each of [remove, done]) {
    const { height, width } = await window.boxOf(each);
    expect(Math.min(height, width), 'large enough for a finger').toBeGreaterThanOrEqual(36);
  }
  await remove.tap();
  await window.shows('green.png');
  await done.tap();
  await expect(button).toHaveAttribute('aria-pressed', 'false');
  await expect(button).toBeVisible();
});
