import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { focused, middleOf, placeOf, said, tabTo } from './helpers/board.js';
import { Window, eventually, launch } from './helpers/browser.js';
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
const toast = ({ page }) => page.locator('#deleted');

async function threeInARow() {
  await server.upload(red, { x: -320, y: -60, w: 160 });
  await server.upload(green, { x: -80, y: -60, w: 160 });
  await server.upload(blue, { x: 160, y: -60, w: 160 });
}

/** Its clock can be turned. */
const clocked = { prepare: (context) => context.clock.install() };

test('a picture that one person deletes can be brought back by another, and lies where it lay', async () => {
  const { id } = await server.upload(red, { x: -120, y: -75, w: 200, alt: 'A red square' });
  const [one, two] = [await open(), await open()];
  await two.shows('red.png');
  await one.picture('red.png').hover();
  await one.page.getByRole('button', { name: 'Delete red.png' }).click();
  for (const window of [one, two]) await window.shows();
  await toast(one).getByText('You deleted red.png').waitFor();
  await toast(two).getByText('Someone deleted red.png').waitFor();
  assert.deepEqual(await server.images(), []);
  await toast(two).getByRole('button', { name: 'Undo' }).click();
  for (const window of [one, two]) {
    await window.shows('red.png');
    await window.paints('red.png', red.colour);
    assert.deepEqual(await placeOf(window, 'red.png'), { x: -120, y: -75, width: 200 });
    await toast(window).waitFor({ state: 'hidden' });
  }
  const [image] = await server.images();
  assert.deepEqual([image.id, image.x, image.y, image.alt], [id, -120, -75, 'A red square']);
  await one.page.locator('#events').getByText('Someone restored red.png').waitFor();
  assert.equal(await two.page.locator('#events').innerText(), '', 'what one did oneself is no news');
  for (const window of [one, two]) await window.close();
});

test('several deletions are one toast, and one Undo', async () => {
  await threeInARow();
  const [one, two] = [await open(), await open()];
  await two.shows('red.png', 'green.png', 'blue.png');
  await one.page.keyboard.press('Control+a');
  await one.page.keyboard.press('Shift+Tab'); // Out of the board: keys of the selection act on the board only.
  await one.page.locator('#selection').getByRole('button', { name: 'Delete' }).click();
  await toast(one).getByText('You deleted 3 photos').waitFor();
  await toast(two).getByText('Someone deleted 3 photos').waitFor();
  assert.equal(await two.page.locator('#deleted').count(), 1);
  await toast(one).getByRole('button', { name: 'Undo' }).click();
  for (const window of [one, two]) await window.shows('red.png', 'green.png', 'blue.png');
  for (const window of [one, two]) await window.close();
});

test('Undo is offered for ten seconds, and longer while one points at it or has the focus in it', async () => {
  await threeInARow();
  const window = await open(clocked);
  const { page } = window;
  const remove = async (name) => {
    await window.picture(name).locator('[data-image]').focus();
    await page.keyboard.press('Delete');
    await toast(window).getByText(`You deleted ${name}`).waitFor();
  };
  await remove('red.png');
  await page.clock.fastForward(8_500);
  assert.ok(await toast(window).isVisible(), 'it is there after 8.5 seconds');
  await page.clock.fastForward(2_000);
  await toast(window).waitFor({ state: 'hidden' });

  await remove('green.png');
  await toast(window).getByText('green.png').hover();
  await page.clock.fastForward(60_000);
  assert.ok(await toast(window).isVisible(), 'it waits for whoever points at it');
  await page.mouse.move(640, 200);
  await toast(window).getByRole('button', { name: 'Undo' }).focus();
  await page.clock.fastForward(60_000);
  assert.ok(await toast(window).isVisible(), 'it waits while it has the focus');
  await window.picture('blue.png').locator('[data-image]').focus();
  await page.clock.fastForward(10_500);
  await toast(window).waitFor({ state: 'hidden' });
  await window.shows('blue.png');
  await window.close();
});

test('with the keyboard alone: Tab reaches Undo, the picture gets the focus, and Ctrl+Z takes back one deletion after the other', async () => {
  await threeInARow();
  const window = await open();
  const { page } = window;
  await tabTo(window, 'red.png');
  await page.keyboard.press('Delete');
  await window.shows('green.png', 'blue.png');
  await said(window, /red\.png was deleted\. Control Z brings it back/);
  await tabTo(window, 'Undo');
  await page.keyboard.press('Enter');
  await window.shows('red.png', 'green.png', 'blue.png');
  await said(window, /red\.png is back/);

  await page.evaluate(() => document.activeElement.blur());
  await tabTo(window, 'red.png');
  await page.keyboard.press('Delete');
  await window.shows('green.png', 'blue.png');
  await eventually(async () => assert.equal(await focused(window), 'green.png'));
  await page.keyboard.press('Delete');
  await window.shows('blue.png');
  await page.keyboard.press('Control+z');
  await window.shows('green.png', 'blue.png');
  await page.keyboard.press('Control+z');
  await window.shows('red.png', 'green.png', 'blue.png');
  await page.keyboard.press('Control+z');
  await window.shows('red.png', 'green.png', 'blue.png');
  await window.close();
});

test('Ctrl+Z also brings back what somebody else has just deleted', async () => {
  await threeInARow();
  const [{ id }] = await server.images();
  const window = await open();
  await window.shows('red.png', 'green.png', 'blue.png');
  await server.delete(id);
  await toast(window).getByText('Someone deleted blue.png').waitFor();
  await window.page.mouse.click(...(await middleOf(window, 'green.png')));
  await window.page.keyboard.press('Control+z');
  await window.shows('red.png', 'green.png', 'blue.png');
  await window.close();
});

test('what was purged meanwhile cannot be brought back, and that is said', async () => {
  await server.stop();
  server = await Server.start('--undo-window', '1s');
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await open();
  await window.picture('red.png').hover();
  await window.page.getByRole('button', { name: 'Delete red.png' }).click();
  await window.shows();
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  await toast(window).getByRole('button', { name: 'Undo' }).click();
  await window.page.getByText('A photo could not be restored: there is no such image.').waitFor();
  await window.shows();
  await window.close();
});
