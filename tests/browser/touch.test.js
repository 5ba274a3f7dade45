import { expect, test } from './fixtures.js';
import { settledBox } from './support/board.js';
import { image } from './support/images.js';
import { PHONE, Touch } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });

test('on a phone one finger moves an image and pans the empty board, and two fingers zoom', async ({ server, open }) => {
  await server.upload(red, { x: -100, y: -62.5, w: 200 });
  const window = await open(PHONE);
  const touch = await Touch.on(window);
  const start = await settledBox(window, 'red.png');

  await touch.drag([start.x + 50, start.y + 50], [start.x + 50, start.y + 150]);
  await expect.poll(() => server.image('red.png')).toMatchObject({ x: -100, y: 37.5 });
  expect(Math.round((await settledBox(window, 'red.png')).y)).toBe(Math.round(start.y + 100));

  await touch.drag([60, 200], [60, 100]);
  expect(Math.round((await settledBox(window, 'red.png')).y)).toBe(Math.round(start.y));

  await touch.pinch([start.x + 100, start.y + 60], 80, 160);
  expect(Math.round((await settledBox(window, 'red.png')).width)).toBe(400);
  // A move would be saved before this one is.
  const { x, y } = await settledBox(window, 'red.png');
  expect(await server.image('red.png'), 'two fingers on an image do not move it').toMatchObject({ x: -100, y: 37.5 });
  await touch.drag([x + 50, y + 50], [x + 50, y + 70]);
  await expect.poll(() => server.image('red.png')).toMatchObject({ x: -100, y: 47.5 });
});

test('on a phone a tap shows the controls of an image, none too small for a finger', async ({ server, open }) => {
  await server.upload(red, { x: -30, y: -20, w: 60 });
  const window = await open(PHONE);
  await window.tile('red.png').locator('img').tap();
  const button = window.page.getByRole('button', { name: 'Delete red.png' });
  await expect(button).toBeVisible();
  await window.settled();
  const { width, height, y } = await window.boxOf(button);
  expect(Math.min(width, height), 'large enough for a finger').toBeGreaterThanOrEqual(40);
  const tile = await window.boxOf(window.tile('red.png'));
  expect(y + height, 'on a small image it lies outside, not to be hit by mistake').toBeLessThanOrEqual(tile.y + 1);
  await button.tap();
  await window.shows();
});

test('one or two taps where a button is about to appear do not press it', async ({ server, open }) => {
  await server.upload(red, { x: -100, y: -60, w: 200 });
  const window = await open(PHONE);
  const touch = await Touch.on(window);
  const remove = window.page.getByRole('button', { name: 'Delete red.png' });
  const { x, y, width } = await settledBox(window, 'red.png');
  /** @type {[number, number]} */
  const corner = [x + width - 20, y + 20];
  await touch.tap(corner);
  await expect(remove).toBeVisible();
  await window.settled();
  const box = await window.boxOf(remove);
  const covers = box.x < corner[0] && box.x + box.width > corner[0] && box.y < corner[1] && box.y + box.height > corner[1];
  expect(covers, 'the button has appeared under the finger').toBe(true);
  // A tap elsewhere takes the focus from the image, and its controls with it.
  await window.page.touchscreen.tap(30, y + 300);
  await expect(remove).toBeHidden();
  await touch.doubleTap(corner);
  await expect(window.page.getByRole('dialog', { name: 'red.png' })).toBeVisible();
  expect(await server.images()).toHaveLength(1);
});

test('on the narrowest phone Undo is in reach of a finger, however long the name', async ({ server, open }) => {
  const name = 'A garden in the evening, seen from the window of the kitchen.png';
  await server.upload(red, { x: -100, y: -60, w: 200, fileName: name });
  const window = await open({ ...PHONE, viewport: { width: 320, height: 568 } });
  const { page } = window;
  await window.tile(name).locator('img').tap();
  await page.getByRole('button', { name: `Delete ${name}` }).tap();
  const undo = page.locator('#deleted').getByRole('button', { name: 'Undo' });
  await expect(undo).toBeVisible();
  await window.settled();
  const { x, width, height } = await window.boxOf(undo);
  expect(x >= 0 && x + width <= 320 && width >= 40 && height >= 40, `${[x, width, height]}`).toBe(true);
  await undo.tap();
  await window.shows(name);
  await open();
  await expect(page.getByText('2 here')).toBeVisible();
  for (const control of await page.locator('.bar a, .bar button, #connection, .tools button').all()) {
    if (!(await control.isVisible())) continue;
    const box = await window.boxOf(control);
    expect(box.x >= 0 && box.x + box.width <= 320, `${await control.getAttribute('aria-label')} is on the screen: ${box.x}`).toBe(true);
  }
});
