import { expect, test } from './fixtures.js';
import { announces, areSelected, hasFocus, settledBox, uploadRow } from './support/board.js';
import { image } from './support/images.js';
import { PHONE, Touch } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40], width: 1200, height: 900 });
const green = image('green.png', { colour: [30, 140, 60], width: 600, height: 450 });
const blue = image('blue.png', { colour: [40, 60, 190], width: 500, height: 1000 });
const row = [red, green, blue];

const compare = ({ page }) => page.locator('#compare');
const panes = (window) => compare(window).locator('.pane');
const button = ({ page }) => page.locator('#selection').getByRole('button', { name: 'Compare' });

/** Selects photos with the mouse. */
async function select(window, ...names) {
  for (const [at, name] of names.entries()) {
    const { x, y, width, height } = await settledBox(window, name);
    if (at > 0) await window.page.keyboard.down('Shift');
    await window.page.mouse.click(x + width / 2, y + height / 2);
    if (at > 0) await window.page.keyboard.up('Shift');
  }
  await areSelected(window, ...names);
}

/** The boxes of the photos in the panes, after all movement has ended. */
async function contents(window) {
  await expect(compare(window).locator('.pane:not(.is-loaded)')).toHaveCount(0);
  await window.settled();
  return Promise.all((await compare(window).locator('.lightbox-content').all()).map((each) => window.boxOf(each)));
}

test('two to four selected photos are compared side by side, zoomed and panned together', async ({ server, open }) => {
  await uploadRow(server, row);
  const window = await open();
  const { page } = window;
  await window.shows('red.png', 'green.png', 'blue.png');
  await page.keyboard.press('c');
  await expect(compare(window), 'nothing is selected').toBeHidden();
  await select(window, 'red.png', 'green.png');
  await button(window).click();
  await announces(window, /Comparing 2 photos/);
  await expect(panes(window)).toHaveCount(2);
  await expect(panes(window).locator('[data-name]')).toHaveText(['red', 'green']);
  await expect(panes(window).locator('[data-by]')).toHaveText([/^Added on /, /^Added on /]);
  const [a, b] = await contents(window);
  expect(a.x + a.width, 'side by side').toBeLessThan(b.x);

  const pane = await window.boxOf(panes(window).first().locator('[data-stage]'));
  await page.mouse.move(pane.x + pane.width / 2, pane.y + pane.height / 2);
  await page.mouse.wheel(0, -300);
  await expect(compare(window).locator('[data-scale]')).not.toHaveText('Fit');
  const zoomed = await contents(window);
  expect(zoomed[0].width, 'zoomed').toBeGreaterThan(a.width * 1.2);
  expect(zoomed[0].width / a.width).toBeCloseTo(zoomed[1].width / b.width, 2);
  await page.mouse.down();
  await page.mouse.move(pane.x + pane.width / 2 - 40, pane.y + pane.height / 2, { steps: 3 });
  await page.mouse.up();
  const panned = await contents(window);
  const moved = (/** @type {number} */ at) => (panned[at].x - zoomed[at].x) / zoomed[at].width;
  expect(moved(0), 'panned').toBeLessThan(-0.01);
  expect(moved(1), 'the other follows').toBeCloseTo(moved(0), 2);
  await page.keyboard.press('1');
  await expect(compare(window).locator('[data-scale]')).toHaveText('Fit');

  await page.keyboard.press('Escape');
  await expect(compare(window)).toBeHidden();
  await hasFocus(window, 'red');
});

test('C compares, the browser’s Back returns to the board, and deleted photos leave and return', async ({ server, open }) => {
  await uploadRow(server, row);
  const window = await open({ slowMessages: true });
  const { page } = window;
  await window.shows('red.png', 'green.png', 'blue.png');
  await select(window, 'red.png', 'green.png', 'blue.png');
  await page.keyboard.press('c');
  await expect(panes(window)).toHaveCount(3);
  await server.delete((await server.image('green.png')).id);
  await expect(panes(window).locator('[data-name]')).toHaveText(['red', 'blue']);
  await compare(window).getByRole('button', { name: 'Undo' }).click();
  await expect(panes(window).locator('[data-name]')).toHaveText(['red', 'green', 'blue']);
  await page.goBack();
  await expect(compare(window)).toBeHidden();
  await window.shows('red.png', 'green.png', 'blue.png');
  for (const each of [image('4.png'), image('5.png', { colour: [9, 9, 9] })]) await server.upload(each, { x: 300, y: 200, w: 40 });
  await expect(window.tiles()).toHaveCount(5);
  await page.keyboard.press('Control+a');
  await expect(page.getByText('5 selected')).toBeVisible();
  await expect(button(window), 'five are too many').toBeHidden();
});

test('on a phone the bar of the selection fits, and the photos stand one above the other', async ({ server, open }) => {
  await server.upload(red, { x: -150, y: -200, w: 140 });
  await server.upload(green, { x: 10, y: -200, w: 140 });
  const window = await open(PHONE);
  const touch = await Touch.on(window);
  const middle = async (/** @type {string} */ name) => {
    const { x, y, width, height } = await settledBox(window, name);
    return /** @type {[number, number]} */ ([x + width / 2, y + height / 2]);
  };
  await window.page.locator('#select').tap();
  await touch.tap(await middle('red.png'));
  await touch.tap(await middle('green.png'));
  await areSelected(window, 'red.png', 'green.png');
  await window.settled();
  for (const each of await window.page.locator('#selection button').all()) {
    const { x, width } = await window.boxOf(each);
    expect(x >= 0 && x + width <= 390, `${await each.textContent()}: ${[x, width]}`).toBe(true);
  }
  await button(window).tap();
  const [a, b] = await contents(window);
  expect(a.y + a.height, 'one above the other').toBeLessThan(b.y);
  await compare(window).getByRole('button', { name: 'Close' }).tap();
  await expect(compare(window)).toBeHidden();
});

for (const [width, height] of [[1440, 900], [1000, 420], [390, 844], [844, 390], [667, 375], [320, 568]]) {
  test(`in a window of ${width} × ${height} neither a tall nor a wide photo covers the facts in the lightbox`, async ({ server, open }) => {
    const tall = image('tall.png', { width: 300, height: 2400, colour: [90, 40, 90] });
    const wide = image('wide.png', { width: 3000, height: 200, colour: [40, 90, 90] });
    for (const each of [tall, wide]) {
      const { id } = await server.upload(each);
      const window = await open({ path: `/#image=${id}`, viewport: { width, height } });
      const { page } = window;
      await expect(page.locator('#lightbox')).toHaveClass(/is-loaded/);
      const inside = async () => {
        await window.settled();
        const photo = await window.boxOf(page.locator('.lightbox-content'));
        const main = await window.boxOf(page.locator('.lightbox-main'));
        expect(photo.x >= main.x - 1 && photo.x + photo.width <= main.x + main.width + 1, `x ${JSON.stringify([photo, main])}`).toBe(true);
        expect(photo.y >= main.y - 1 && photo.y + photo.height <= main.y + main.height + 1, `y ${JSON.stringify([photo, main])}`).toBe(true);
        expect(photo.width * photo.height, 'it is visible').toBeGreaterThan(100);
      };
      await inside();
      const more = page.getByRole('button', { name: 'Details' });
      if (await more.isVisible()) await more.click();
      await inside();
      await page.locator('[data-stage]').first().focus();
      await page.keyboard.press('0');
      await page.keyboard.press('+');
      await window.settled();
      const { x, y } = await window.boxOf(page.locator('#lightbox [data-copy]'));
      const top = await page.evaluate(([x, y]) => document.elementFromPoint(x + 12, y + 12)?.closest('.lightbox-about, .lightbox-stage')?.className, [x, y]);
      expect(top, 'a zoomed photo ends at the panel').toBe('lightbox-about');
      await window.close();
    }
  });
}
