import { expect, test } from './fixtures.js';
import { announces, blur, focused, focusPhoto, hasFocus, middleOf, settledBox, tabTo, tabToPhoto } from './support/board.js';
import { image } from './support/images.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });

test('with the keyboard alone an image is added, moved, resized and deleted, and each step is announced', async ({ server, open }) => {
  const window = await open();
  const { page } = window;
  await tabTo(window, 'Choose photos');
  await window.chooseAfter(() => page.keyboard.press('Enter'), [red]);
  await window.shows('red.png');
  await announces(window, /red added/);
  const before = await server.image('red.png');

  await blur(window);
  await tabTo(window, 'red');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  expect(outline, 'the focus is visible').toBe('solid');
  await blur(window);
  await page.mouse.click(...(await middleOf(window, 'red.png')));
  const clicked = await page.evaluate(() => ['[data-image]', ':focus-visible'].map((selector) => document.activeElement?.matches(selector)));
  expect(clicked, 'but not after a click').toEqual([true, false]);
  await blur(window);
  await tabTo(window, 'red');
  await page.keyboard.press('Alt+ArrowRight');
  await page.keyboard.press('Alt+ArrowRight');
  await page.keyboard.press('Alt+Shift+ArrowDown');
  await expect
    .poll(async () => {
      const { x, y } = await server.image('red.png');
      return [Math.round(x - before.x), Math.round(y - before.y)];
    })
    .toEqual([20, 100]);
  await announces(window, /red moved/);

  await tabTo(window, 'Width of red');
  await page.keyboard.press('ArrowRight');
  await expect.poll(async () => Math.round((await server.image('red.png')).w - before.w)).toBe(10);
  await expect(page.getByRole('slider', { name: 'Width of red' })).toHaveAttribute('aria-valuenow', String(Math.round(before.w + 10)));

  await page.keyboard.press('Shift+Tab');
  expect(await focused(window)).toBe('Delete red');
  await page.keyboard.press('Enter');
  await window.shows();
  await announces(window, /You deleted red/);
  await expect.poll(() => server.images()).toEqual([]);
});

test('arrow keys reach every image, however far away, and the board follows', async ({ server, open }) => {
  for (let at = 0; at < 12; at += 1) {
    await server.upload(image(`no ${at}.png`, { width: 40, height: 40, colour: [at * 20, 90, 90] }), { x: at * 3000, y: (at % 2) * 90, w: 200 });
  }
  const window = await open();
  await window.page.getByRole('button', { name: 'Actual size' }).click();
  await window.settled();
  await blur(window);
  await tabToPhoto(window);
  await window.page.keyboard.press('Home');
  for (let at = 0; at < 12; at += 1) {
    await hasFocus(window, `no ${at}`);
    const { x, width } = await settledBox(window, `no ${at}.png`);
    expect(x >= 0 && x + width <= 1280, `no ${at} is in view: ${[x, width]}`).toBe(true);
    await window.page.keyboard.press('ArrowRight');
  }
  await hasFocus(window, 'no 11');
  expect(await window.page.evaluate(() => document.querySelector('#surface').scrollLeft)).toBe(0);
});

test('arrow keys go to the nearest image in their direction, which is the only stop of Tab', async ({ server, open }) => {
  const places = { a: [-300, -200], b: [0, -200], c: [320, -200], d: [-260, 60], e: [120, 60] };
  for (const [name, [x, y]] of Object.entries(places)) {
    await server.upload(image(`${name}.png`, { width: 40, height: 30, colour: [name.charCodeAt(0), 90, 90] }), { x, y, w: 200 });
  }
  const window = await open();
  const { page } = window;
  await window.settled();
  await tabToPhoto(window);
  await page.keyboard.press('Home');
  await hasFocus(window, 'a');
  for (const [key, name] of [['Right', 'b'], ['Right', 'c'], ['Down', 'e'], ['Left', 'd'], ['Up', 'a'], ['Up', 'a'], ['Left', 'a']]) {
    await page.keyboard.press(`Arrow${key}`);
    await hasFocus(window, name);
  }
  await expect(page.locator('.tile [data-image][tabindex="0"]')).toHaveCount(1);
  await blur(window);
  const photos = new Set();
  for (let press = 0; press < 40; press += 1) {
    await page.keyboard.press('Tab');
    const name = await focused(window);
    if (/^[a-e]$/.test(name)) photos.add(name);
  }
  expect([...photos], 'photos that Tab stops at').toEqual(['a']);
});

test('Delete removes the focused image, and the next one gets the focus', async ({ server, open }) => {
  await server.upload(red, { x: -300, y: 0, w: 200 });
  await server.upload(green, { x: 100, y: 0, w: 200 });
  const window = await open();
  await focusPhoto(window, 'red');
  await window.page.keyboard.press('Delete');
  await window.shows('green.png');
  await hasFocus(window, 'green');
});

test('right after loading, keys pan and zoom the board and list all keys', async ({ server, open }) => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await open();
  const { page } = window;
  const box = () => settledBox(window, 'red.png');
  const start = await box();
  await page.keyboard.press('ArrowRight');
  expect((await box()).x).toBe(start.x - 80);
  await page.keyboard.press('+');
  expect(Math.round((await box()).width)).toBe(300);
  await page.keyboard.press('0');
  expect(Math.round((await box()).width)).toBe(240);
  await page.keyboard.press('?');
  await expect(page.getByRole('heading', { name: 'Keyboard' })).toBeVisible();
  await expect(page.locator('#keys').getByRole('heading'), 'it begins with its beginning').toBeInViewport();
  await page.keyboard.press('+');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('heading', { name: 'Keyboard' })).toBeHidden();
  expect(Math.round((await box()).width), 'keys in a dialog leave the board alone').toBe(240);
  await page.keyboard.press('1');
  expect((await box()).x, 'everything is shown, in the middle').toBe(start.x);
});

test('Escape leaves a photo, and arrow keys then pan', async ({ server, open }) => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await open();
  await tabTo(window, 'red');
  await window.page.keyboard.press('Escape');
  await hasFocus(window, 'Board');
  const { x } = await settledBox(window, 'red.png');
  await window.page.keyboard.press('ArrowLeft');
  expect((await settledBox(window, 'red.png')).x).toBe(x + 80);
});
