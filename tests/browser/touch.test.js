import { expect, test } from './fixtures.js';
import { settledBox } from './support/board.js';
import { image } from './support/images.js';
import { PHONE, Touch } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });

test('on a phone one finger pans, also on an image, and two fingers zoom', async ({ server, open }) => {
  await server.upload(red, { x: -100, y: -62.5, w: 200 });
  const window = await open(PHONE);
  const touch = await Touch.on(window);
  const start = await settledBox(window, 'red.png');

  await touch.drag([start.x + 50, start.y + 50], [start.x + 50, start.y + 150]);
  expect(Math.round((await settledBox(window, 'red.png')).y)).toBe(Math.round(start.y + 100));
  await touch.drag([60, 200], [60, 100]);
  expect(Math.round((await settledBox(window, 'red.png')).y)).toBe(Math.round(start.y));

  await touch.pinch([start.x + 100, start.y + 60], 80, 160);
  expect(Math.round((await settledBox(window, 'red.png')).width)).toBe(400);
  expect(await server.image('red.png'), 'nothing has moved the image').toMatchObject({ x: -100, y: -62.5 });
  const { x, y } = await settledBox(window, 'red.png');
  // The move of a long press is saved after any move before it would have been.
  await touch.holdAndDrag([x + 50, y + 50], [x + 50, y + 70]);
  await expect.poll(() => server.image('red.png')).toMatchObject({ x: -100, y: -52.5 });
});

test('on a phone a tap opens an image, and a long press selects it and shows what can be done', async ({ server, open }) => {
  await server.upload(red, { x: -100, y: -60, w: 200 });
  await server.upload(green, { x: -100, y: 120, w: 200 });
  const window = await open(PHONE);
  const { page } = window;
  const touch = await Touch.on(window);
  const { x, y } = await settledBox(window, 'red.png');
  await touch.tap([x + 50, y + 50]);
  await expect(page.getByRole('dialog', { name: 'red' })).toBeVisible();
  await page.getByRole('button', { name: 'Close', exact: true }).tap();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Delete red' }), 'no button under a thumb').toBeHidden();

  await touch.hold([x + 50, y + 50]);
  await expect(window.tile('red.png')).toHaveClass(/is-selected/);
  const bar = page.locator('#selection');
  await expect(bar.getByText('1 selected')).toBeVisible();
  const remove = bar.getByRole('button', { name: 'Delete' });
  const { width, height } = await window.boxOf(remove);
  expect(Math.min(width, height), 'large enough for a finger').toBeGreaterThanOrEqual(40);
  await remove.tap();
  await window.shows('green.png');
  expect(await server.image('green.png'), 'nothing has moved').toMatchObject({ x: -100, y: 120 });
});

test('on the narrowest phone Undo is in reach of a finger, however long the name', async ({ server, open }) => {
  const name = 'A garden in the evening, seen from the window of the kitchen.png';
  await server.upload(red, { x: -100, y: -60, w: 200, fileName: name });
  const window = await open({ ...PHONE, viewport: { width: 320, height: 568 } });
  const { page } = window;
  const { x: left, y: top } = await settledBox(window, name);
  await (await Touch.on(window)).hold([left + 50, top + 50]);
  await page.locator('#selection').getByRole('button', { name: 'Delete' }).tap();
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

test('a swipe never resizes; after a long press the handle does', async ({ server, open }) => {
  await server.upload(red, { x: -100, y: -60, w: 200 });
  const window = await open(PHONE);
  const { page } = window;
  const touch = await Touch.on(window);
  const { x, y } = await settledBox(window, 'red.png');
  await touch.tap([x + 50, y + 50]);
  await page.getByRole('button', { name: 'Close', exact: true }).tap();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  const handle = page.getByRole('slider', { name: 'Width of red' });
  const corner = async () => {
    const box = await settledBox(window, 'red.png');
    return /** @type {[number, number]} */ ([box.x + box.width - 2, box.y + box.height - 2]);
  };
  const from = await corner();
  await touch.drag(from, [from[0] - 60, from[1] - 60]);
  expect(Math.round((await settledBox(window, 'red.png')).x), 'the board is panned').toBe(Math.round(x - 60));
  await expect(handle).toBeHidden();

  const at = await corner();
  await touch.hold([at[0] - 60, at[1] - 40]);
  await expect(handle).toBeVisible();
  await touch.drag(at, [at[0] + 80, at[1] + 50]);
  await expect.poll(async () => (await server.image('red.png')).w).toBeGreaterThan(240);
});
