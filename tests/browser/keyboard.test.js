import { expect, test } from './fixtures.js';
import { announces, blur, focused, hasFocus, settledBox, tabTo } from './support/board.js';
import { image } from './support/images.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });

test('with the keyboard alone an image is added, moved, resized and deleted, and each step is announced', async ({ server, open }) => {
  const window = await open();
  const { page } = window;
  await tabTo(window, 'Choose photos');
  await window.chooseAfter(() => page.keyboard.press('Enter'), [red]);
  await window.shows('red.png');
  await announces(window, /red\.png added/);
  const before = await server.image('red.png');

  await blur(window);
  await tabTo(window, 'red.png');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  expect(outline, 'the focus is visible').toBe('solid');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+ArrowDown');
  await expect
    .poll(async () => {
      const { x, y } = await server.image('red.png');
      return [Math.round(x - before.x), Math.round(y - before.y)];
    })
    .toEqual([20, 100]);
  await announces(window, /red\.png moved/);

  await tabTo(window, 'Width of red.png');
  await page.keyboard.press('ArrowRight');
  await expect.poll(async () => Math.round((await server.image('red.png')).w - before.w)).toBe(10);
  await expect(page.getByRole('slider', { name: 'Width of red.png' })).toHaveAttribute('aria-valuenow', String(Math.round(before.w + 10)));

  await page.keyboard.press('Shift+Tab');
  expect(await focused(window)).toBe('Delete red.png');
  await page.keyboard.press('Enter');
  await window.shows();
  await announces(window, /red\.png was deleted/);
  await expect.poll(() => server.images()).toEqual([]);
});

test('Tab reaches every image, however far away, and the board follows', async ({ server, open }) => {
  for (let at = 0; at < 12; at += 1) {
    await server.upload(image(`${at}.png`, { width: 40, height: 40, colour: [at * 20, 90, 90] }), { x: at * 3000, y: 0, w: 200 });
  }
  const window = await open();
  await window.page.getByRole('button', { name: 'Actual size' }).click();
  await window.settled();
  await blur(window);
  for (let at = 0; at < 12; at += 1) {
    await tabTo(window, `${at}.png`);
    const { x, width } = await settledBox(window, `${at}.png`);
    expect(x >= 0 && x + width <= 1280, `${at}.png is in view: ${[x, width]}`).toBe(true);
  }
  expect(await window.page.evaluate(() => document.querySelector('#surface').scrollLeft)).toBe(0);
});

test('Delete removes the focused image, and the next one gets the focus', async ({ server, open }) => {
  await server.upload(red, { x: -300, y: 0, w: 200 });
  await server.upload(green, { x: 100, y: 0, w: 200 });
  const window = await open();
  await tabTo(window, 'red.png');
  await window.page.keyboard.press('Delete');
  await window.shows('green.png');
  await hasFocus(window, 'green.png');
});

test('keys pan and zoom the focused board', async ({ server, open }) => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await open();
  const box = () => settledBox(window, 'red.png');
  await window.page.getByRole('main', { name: 'Board' }).focus();
  const start = await box();
  await window.page.keyboard.press('ArrowRight');
  expect((await box()).x).toBe(start.x - 80);
  await window.page.keyboard.press('+');
  expect(Math.round((await box()).width)).toBe(300);
  await window.page.keyboard.press('0');
  expect(Math.round((await box()).width)).toBe(240);
});
