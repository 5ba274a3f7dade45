import { expect, test } from './fixtures.js';
import { announces, blur, eventsOf, focusPhoto, hasFocus, isPlaced, middleOf, pastEventsOf, tabTo, uploadRow } from './support/board.js';
import { CLOCKED, stopClock } from './support/clock.js';
import { image } from './support/images.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });
const row = [red, green, blue];
const names = row.map(({ name }) => name);

const toast = ({ page }) => page.locator('#deleted');

test('another viewer can restore a deleted image, with its placement and description', async ({ server, open }) => {
  const { id } = await server.upload(red, { x: -120, y: -75, w: 200, alt: 'A red square' });
  const [one, two] = [await open({ slowMessages: true }), await open({ slowMessages: true })];
  await two.shows('red.png');
  await one.tile('red.png').hover();
  await one.page.getByRole('button', { name: 'Delete red' }).click();
  for (const window of [one, two]) await window.shows();
  await expect(toast(one).getByText('You deleted red')).toBeVisible();
  await expect(toast(two).getByText('Someone deleted red')).toBeVisible();
  await expect.poll(() => server.images()).toEqual([]);
  await toast(two).getByRole('button', { name: 'Undo' }).click();
  for (const window of [one, two]) {
    await window.shows('red.png');
    await window.paints('red.png', red.colour);
    await isPlaced(window, 'red.png', { x: -120, y: -75, width: 200 });
    await expect(toast(window)).toBeHidden();
  }
  expect(await server.images()).toMatchObject([{ id, x: -120, y: -75, alt: 'A red square' }]);
  await expect(eventsOf(one)).toHaveText('Someone restored red');
  await server.upload(green, { author: 'Grace' });
  await expect(eventsOf(two)).toHaveText('Grace added green');
  expect(await pastEventsOf(two), "a viewer's own restore is not reported").toEqual(['Grace added green']);
});

test('several deletions show one message with one Undo', async ({ server, open }) => {
  await uploadRow(server, row);
  const [one, two] = [await open({ slowMessages: true }), await open({ slowMessages: true })];
  await two.shows(...names);
  await one.page.keyboard.press('Control+a');
  await one.page.keyboard.press('Shift+Tab'); // Out of the board: the keys of the selection act on the board only.
  await one.page.locator('#selection').getByRole('button', { name: 'Delete' }).click();
  await expect(toast(one).getByText('You deleted 3 photos')).toBeVisible();
  await expect(toast(two).getByText('Someone deleted 3 photos')).toBeVisible();
  await expect(toast(two)).toHaveCount(1);
  await toast(one).getByRole('button', { name: 'Undo' }).click();
  for (const window of [one, two]) await window.shows(...names);
});

test('Undo is offered for ten seconds, and longer while the pointer or the focus is on it', async ({ server, open }) => {
  await uploadRow(server, row);
  const window = await open(CLOCKED);
  const { page } = window;
  const remove = async (name) => {
    await window.tile(name).locator('[data-image]').focus();
    await page.keyboard.press('Delete');
    await expect(toast(window).getByText(`You deleted ${name.replace('.png', '')}`)).toBeVisible();
  };
  await stopClock(window);
  await remove('red.png');
  await page.clock.runFor(9_900);
  await expect(toast(window), 'after 9.9 seconds').toBeVisible();
  await page.clock.runFor(200);
  await expect(toast(window), 'after 10.1 seconds').toBeHidden();

  await remove('green.png');
  await toast(window).getByText('green').hover();
  await page.clock.runFor(15_000);
  await expect(toast(window), 'the pointer is on it').toBeVisible();
  await page.mouse.move(640, 200);
  await toast(window).getByRole('button', { name: 'Undo' }).focus();
  await page.clock.runFor(15_000);
  await expect(toast(window), 'the focus is in it').toBeVisible();
  await window.tile('blue.png').locator('[data-image]').focus();
  await page.clock.runFor(10_500);
  await expect(toast(window)).toBeHidden();
  await window.shows('blue.png');
});

test('with the keyboard alone Undo is reached, the image gets the focus back, and Ctrl+Z undoes one deletion after another', async ({ server, open }) => {
  await uploadRow(server, row);
  const window = await open({ slowMessages: true });
  const { page } = window;
  await focusPhoto(window, 'red');
  await page.keyboard.press('Delete');
  await window.shows('green.png', 'blue.png');
  await announces(window, /You deleted red\. Control Z brings it back/);
  await hasFocus(window, 'green');
  await tabTo(window, 'Undo');
  await page.keyboard.press('Enter');
  await window.shows(...names);
  await announces(window, /red restored/);
  await hasFocus(window, 'red');

  await blur(window);
  await focusPhoto(window, 'red');
  await page.keyboard.press('Delete');
  await window.shows('green.png', 'blue.png');
  await hasFocus(window, 'green');
  await page.keyboard.press('Delete');
  await window.shows('blue.png');
  await page.keyboard.press('Control+z');
  await window.shows('green.png', 'blue.png');
  await page.keyboard.press('Control+z');
  await window.shows(...names);
  await page.keyboard.press('Control+z');
  await window.shows(...names);
});

test('Ctrl+Z also restores what another viewer has just deleted', async ({ server, open }) => {
  await uploadRow(server, row);
  const { id } = await server.image('blue.png');
  const window = await open({ slowMessages: true });
  await window.shows(...names);
  await server.delete(id);
  await expect(toast(window).getByText('Someone deleted blue')).toBeVisible();
  await window.page.mouse.click(...(await middleOf(window, 'green.png')));
  await window.page.keyboard.press('Control+z');
  await window.shows(...names);
});

test('where Ctrl+Z undoes a change of one’s own, it is not said to bring back what another viewer has deleted', async ({ server, open }) => {
  await uploadRow(server, row);
  const { id } = await server.image('blue.png');
  const window = await open({ slowMessages: true });
  const before = await server.image('green.png');
  await window.tile('green.png').locator('[data-image]').focus();
  await window.page.keyboard.press('Alt+ArrowDown');
  await expect.poll(async () => (await server.image('green.png')).y).not.toBe(before.y);
  await server.delete(id);
  await announces(window, /Someone deleted blue\.$/);
  await window.page.keyboard.press('Control+z');
  await expect.poll(async () => (await server.image('green.png')).y).toBe(before.y);
  await window.shows('red.png', 'green.png');
  await window.page.keyboard.press('Control+z');
  await window.shows(...names);
});

test.describe('with an undo window that ends at once', () => {
  test.use({ serverOptions: ['--undo-window', '0s'] });

  test('Undo after the window says that the image cannot be brought back', async ({ server, open }) => {
    await server.upload(red, { x: -120, y: -75, w: 240 });
    const window = await open({ slowMessages: true });
    await window.tile('red.png').hover();
    await window.page.getByRole('button', { name: 'Delete red' }).click();
    await window.shows();
    await toast(window).getByRole('button', { name: 'Undo' }).click();
    await expect(window.page.getByText('A photo could not be restored: there is no such photo.')).toBeVisible();
    await window.shows();
  });
});
