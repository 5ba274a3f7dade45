import { expect, test } from './fixtures.js';
import { hasFocus, isPlaced, uploadRow } from './support/board.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40], width: 1200, height: 900 });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });

const bin = ({ page }) => page.locator('#bin');
const items = (window) => bin(window).locator('.bin-item');
const showBin = (window) => window.page.getByRole('button', { name: 'Recently deleted' }).click();

async function remove(window, name) {
  await window.tile(name).locator('[data-image]').focus();
  await window.page.keyboard.press('Delete');
  await expect(window.tile(name)).toHaveCount(0);
}

test('deleted photos are listed, also after a reload, and come back; undo deletes them again', async ({ server, open }) => {
  await uploadRow(server, [red, green, blue]);
  const prepare = (context) => context.addInitScript(() => localStorage.setItem('name', 'Ada'));
  const window = await open({ prepare, slowMessages: true });
  const { page } = window;
  await window.shows('red.png', 'green.png', 'blue.png');
  await showBin(window);
  await expect(bin(window).getByText('Nothing here. Deleted photos stay for a while.')).toBeVisible();
  await page.keyboard.press('Escape');
  await hasFocus(window, 'Recently deleted');
  await remove(window, 'red.png');
  await remove(window, 'green.png');
  await page.reload();
  await window.ready();
  await window.shows('blue.png');
  await showBin(window);
  await expect(items(window).locator('[data-name]'), 'the last deleted first').toHaveText(['green', 'red']);
  await expect(items(window).locator('[data-by]').first()).toHaveText(/^Deleted by Ada, (just now|\d+ minutes? ago)$/);
  const thumb = items(window).filter({ hasText: 'red' }).locator('img');
  await expect.poll(() => thumb.evaluate((each) => /** @type {HTMLImageElement} */ (each).naturalWidth)).toBeGreaterThan(0);

  await bin(window).getByRole('button', { name: 'Restore red' }).click();
  await expect(items(window).locator('[data-name]')).toHaveText(['green']);
  await hasFocus(window, 'Close');
  await window.shows('blue.png', 'red.png');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+z');
  await window.shows('blue.png');
  await page.keyboard.press('Control+Shift+z');
  await window.shows('blue.png', 'red.png');
  await page.reload();
  await window.ready();
  await window.shows('blue.png', 'red.png');
});

test('the list follows what others delete and restore, and all come back at once', async ({ server, open }) => {
  await uploadRow(server, [red, green, blue]);
  const [one, two] = [await open({ slowMessages: true }), await open({ slowMessages: true })];
  for (const window of [one, two]) await window.shows('red.png', 'green.png', 'blue.png');
  await remove(one, 'red.png');
  await one.page.locator('#deleted').getByRole('button', { name: 'Show all' }).click();
  await expect(items(one).locator('[data-name]')).toHaveText(['red']);
  await expect(bin(one).getByRole('button', { name: 'Restore all' }), 'one is not all').toBeHidden();
  await remove(two, 'blue.png');
  await expect(items(one).locator('[data-name]')).toHaveText(['blue', 'red']);
  await expect(items(one).locator('[data-by]').first(), 'nobody has a name').toHaveText(/^Deleted, /);
  await bin(one).getByRole('button', { name: 'Restore all' }).click();
  await expect(bin(one).getByText('Nothing here.')).toBeVisible();
  for (const window of [one, two]) await window.shows('red.png', 'green.png', 'blue.png');
});

test('on a phone the list is within reach while a deletion is told', async ({ server, open }) => {
  await uploadRow(server, [red, green, blue]);
  const [window, phone] = [await open({ slowMessages: true }), await open({ ...PHONE, slowMessages: true })];
  for (const each of [window, phone]) await each.shows('red.png', 'green.png', 'blue.png');
  await remove(window, 'red.png');
  await remove(window, 'green.png');
  const toast = phone.page.locator('#deleted');
  await expect(toast.getByText('Someone deleted 2 photos')).toBeVisible();
  await showBin(phone);
  await expect(toast).toBeVisible();
  await expect(items(phone).locator('[data-name]')).toHaveText(['green', 'red']);
});

test('undoing a restoration leaves a photo that somebody has changed since', async ({ server, open }) => {
  await uploadRow(server, [red, green, blue]);
  const [one, two] = [await open({ slowMessages: true }), await open()];
  for (const window of [one, two]) await window.shows('red.png', 'green.png', 'blue.png');
  await remove(two, 'red.png');
  await remove(two, 'green.png');
  await showBin(one);
  await bin(one).getByRole('button', { name: 'Restore all' }).click();
  for (const window of [one, two]) await window.shows('red.png', 'green.png', 'blue.png');
  await one.page.keyboard.press('Escape');
  const { y } = await server.image('red.png');
  await two.tile('red.png').locator('[data-image]').focus();
  await two.page.keyboard.press('Alt+ArrowDown');
  await expect.poll(async () => (await server.image('red.png')).y).not.toBe(y);
  const moved = await server.image('red.png');
  await isPlaced(one, 'red.png', { y: moved.y });
  await one.page.keyboard.press('Control+z');
  await one.shows('red.png', 'blue.png');
  await expect(one.page.getByText('1 of 2 photos have been changed by someone else or deleted since.')).toBeVisible();
  await one.page.keyboard.press('Control+Shift+z');
  await one.shows('red.png', 'green.png', 'blue.png');
});

test('all come back although the list names only the last of many', async ({ server, open }) => {
  await uploadRow(server, [red, green, blue]);
  const window = await open({ slowMessages: true });
  await window.shows('red.png', 'green.png', 'blue.png');
  for (const name of ['red.png', 'green.png', 'blue.png']) await server.delete((await server.image(name)).id);
  await window.page.route('**/images/deleted', async (route) => {
    const response = await route.fetch();
    const { images } = await response.json();
    await route.fulfill({ response, json: { images: images.slice(0, 2) } });
  });
  await showBin(window);
  await expect(items(window).locator('[data-name]')).toHaveText(['blue', 'green']);
  await bin(window).getByRole('button', { name: 'Restore all' }).click();
  await window.shows('red.png', 'green.png', 'blue.png');
});
