// The rights of each role on the page. The server enforces them; the page hides what would be refused.

import { expect, NEEDS_LINKS, test } from './fixtures.js';
import { expectAccessible } from './support/accessible.js';
import { areSelected, dragMouse, middleOf, settledBox, uploadRow } from './support/board.js';
import { image } from './support/images.js';
import { PHONE, Touch } from './support/touch.js';

test.use({ serverOptions: NEEDS_LINKS });

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });

const notices = ({ page }) => page.locator('#notices');
const frame = (window, name) => window.tile(name).locator('[data-image]');
const button = ({ page }, name) => page.getByRole('button', { name, exact: true });

test('a link to look shows photos as they come, and no control that would be refused', async ({ server, open }) => {
  await uploadRow(server, [red, green]);
  const [looking, host] = [await open({ link: await server.makeLink('view') }), await open({ link: await server.makeLink('host') })];
  const { page } = looking;
  await looking.shows('red.png', 'green.png');
  await expect(button(host, 'Add photos')).toBeVisible();
  for (const name of ['Add photos', 'Share', 'Recently deleted', 'Arrange', 'Undo']) await expect(button(looking, name)).toBeHidden();
  await expect(button(looking, 'Select several')).toBeVisible();

  await looking.tile('red.png').hover();
  await expect(button(looking, 'Open red')).toBeVisible();
  for (const name of ['Delete red', 'Width of red']) await expect(looking.tile('red.png').getByLabel(name)).toBeHidden();
  await frame(looking, 'red.png').focus();
  await expect(frame(looking, 'red.png')).toHaveAccessibleDescription(/^Arrow keys go to the next photo\. Enter opens it, Space selects it\./);

  await button(looking, 'Keyboard help').click();
  await expect(page.getByText('Compare two to four selected photos')).toBeVisible();
  for (const text of ['Delete for everyone', 'Write a caption', 'Paste a photo']) await expect(page.getByText(text, { exact: true })).toBeHidden();
  await page.keyboard.press('Escape');

  await host.drop([blue], 600, 600);
  await looking.shows('red.png', 'green.png', 'blue.png');
});

test('a link to look says so when a photo is dropped or pasted', async ({ server, open }) => {
  const window = await open({ link: await server.makeLink('view'), slowMessages: true });
  await expect(window.page.getByRole('heading', { name: 'No photos yet' })).toBeVisible();
  await window.drop([red]);
  await expect(notices(window).getByText('This link only lets you look.')).toHaveCount(1);
  await expect(window.page.locator('.is-drop-target')).toHaveCount(0);
  expect(await window.paste(red)).toBe(true);
  await expect(notices(window).getByText('This link only lets you look.')).toHaveCount(1);
  await window.settled();
  expect(await server.images()).toEqual([]);
});

test('with a link to look a drag pans, and the keys that change do nothing', async ({ server, open }) => {
  await uploadRow(server, [red, green]);
  const window = await open({ link: await server.makeLink('view') });
  const { page } = window;
  const before = await server.images();
  const { x, y } = await settledBox(window, 'green.png');
  const [fromX, fromY] = await middleOf(window, 'red.png');
  await dragMouse(window, [fromX, fromY], [fromX + 60, fromY + 40]);
  const after = await settledBox(window, 'green.png');
  expect([after.x - x, after.y - y].map(Math.round)).toEqual([60, 40]);

  await page.mouse.click(fromX + 60, fromY + 40);
  await areSelected(window, 'red.png');
  await frame(window, 'red.png').focus();
  for (const key of ['Alt+Shift+ArrowUp', 'Delete', 'F2', 'Control+z']) await page.keyboard.press(key);
  await expect(page.locator('.caption-editor')).toHaveCount(0);
  await page.keyboard.press('Control+a');
  await expect(page.getByText('2 selected', { exact: true })).toBeVisible();
  const bar = page.locator('#selection');
  for (const name of ['Delete', 'Arrange']) await expect(bar.getByRole('button', { name })).toBeHidden();
  await page.keyboard.press('c');
  await expect(page.locator('#compare .pane')).toHaveCount(2);
  await page.keyboard.press('Escape');
  expect(await server.images()).toEqual(before);
});

test('with a link to look the lightbox shows texts and offers the photo, but no changes', async ({ server, open }) => {
  const { id } = await server.upload(red);
  const host = await open({ link: await server.makeLink('host'), path: '/' });
  await frame(host, 'red.png').focus();
  await host.page.keyboard.press('Enter');
  await host.page.getByLabel('Description').fill('A red square');
  await host.page.keyboard.press('Enter');
  await expect(host.page.getByText('Saved.')).toBeVisible();

  const window = await open({ link: await server.makeLink('view') });
  const { page } = window;
  await frame(window, 'red.png').focus();
  await page.keyboard.press('Enter');
  const lightbox = page.locator('#lightbox');
  await expect(lightbox.getByText('A red square', { exact: true })).toBeVisible();
  await expect(lightbox.getByRole('link', { name: 'Download' })).toBeVisible();
  for (const name of ['Delete', 'Approve']) await expect(lightbox.getByRole('button', { name })).toBeHidden();
  for (const name of ['Caption', 'Description']) await expect(lightbox.getByLabel(name)).toBeHidden();
  await page.keyboard.press('Delete');
  await page.keyboard.press('F2');
  await expect(lightbox.locator('[data-stage]')).toBeFocused();
  await expectAccessible(window);
  expect((await server.images()).map((each) => each.id)).toEqual([id]);
});

test('a finger on a photo that may not be changed opens it, or selects it when it rests', async ({ server, open }) => {
  await server.upload(red, { x: -80, y: -60, w: 160 });
  const before = await server.images();
  const window = await open({ link: await server.makeLink('view'), ...PHONE });
  await window.page.evaluate(() => void (location.hash = '#board'));
  const touch = await Touch.on(window);
  const [x, y] = await middleOf(window, 'red.png');
  await touch.holdAndDrag([x, y], [x + 50, y + 80]);
  await areSelected(window, 'red.png');
  expect(await middleOf(window, 'red.png')).toEqual([x, y]);
  await window.page.getByRole('button', { name: 'Done' }).tap();
  await touch.tap([x, y]);
  await expect(window.page.locator('#lightbox')).toBeVisible();
  expect(await server.images()).toEqual(before);
});

test('a guest moves, captions and deletes what they have added, and nothing else', async ({ server, open }) => {
  await server.upload(red, { x: -320, y: -60, w: 160 });
  const guest = await open({ link: await server.makeLink('add') });
  const { page } = guest;
  await guest.drop([green], 700, 400);
  await guest.shows('red.png', 'green.png');
  const own = await server.image('green.png');
  const other = await server.image('red.png');

  await frame(guest, 'red.png').focus();
  for (const key of ['Alt+ArrowUp', 'F2', 'Delete']) await page.keyboard.press(key);
  await expect(guest.tile('red.png').getByLabel('Delete red')).toBeHidden();
  await frame(guest, 'green.png').focus();
  await expect(guest.tile('green.png').getByLabel('Delete green')).toBeVisible();
  await page.keyboard.press('Alt+ArrowUp');
  await expect.poll(async () => (await server.image('green.png')).y).toBeLessThan(own.y);
  await page.keyboard.press('F2');
  await page.locator('.caption-editor textarea').fill('Mine');
  await page.keyboard.press('Enter');
  await expect.poll(async () => (await server.image('green.png')).caption).toBe('Mine');

  await page.keyboard.press('Control+a');
  const bar = page.locator('#selection');
  await expect(bar.getByRole('button', { name: 'Arrange' })).toBeHidden();
  await bar.getByRole('button', { name: 'Delete yours' }).click();
  await guest.shows('red.png');
  await page.keyboard.press('Control+z');
  await guest.shows('red.png', 'green.png');
  expect(await server.image('red.png')).toEqual(other);
});

test('a guest drags a selection, of which only their own photos move', async ({ server, open }) => {
  await server.upload(red, { x: -320, y: -60, w: 160 });
  const guest = await open({ link: await server.makeLink('add') });
  await guest.drop([green], 700, 400);
  await guest.shows('red.png', 'green.png');
  const [own, other] = [await server.image('green.png'), await server.image('red.png')];
  const [x, y] = await middleOf(guest, 'green.png');
  await guest.page.keyboard.press('Control+a');
  await areSelected(guest, 'red.png', 'green.png');
  await dragMouse(guest, [x, y], [x + 30, y + 70]);
  await expect.poll(async () => (await server.image('green.png')).y).toBeGreaterThan(own.y);
  expect(await server.image('red.png')).toEqual(other);
});

test('a guest is told of a deletion by others, and offered Undo only for their own photos', async ({ server, open }) => {
  const { id } = await server.upload(red, { x: -320, y: -60, w: 160 });
  const guest = await open({ link: await server.makeLink('add'), slowMessages: true });
  await guest.drop([green], 700, 400);
  await guest.shows('red.png', 'green.png');
  const toast = guest.page.locator('#deleted');
  await server.delete(id);
  await expect(toast.getByText('Someone deleted red')).toBeVisible();
  await expect(toast.getByRole('button', { name: 'Undo' })).toBeHidden();
  await server.delete((await server.image('green.png')).id);
  await expect(toast.getByRole('button', { name: 'Undo' })).toBeVisible();
  await toast.getByRole('button', { name: 'Undo' }).click();
  await guest.shows('green.png');
});

test('an editor changes the photos of everybody, and shares nothing', async ({ server, open }) => {
  await uploadRow(server, [red, green]);
  const editor = await open({ link: await server.makeLink('edit') });
  await expect(button(editor, 'Share')).toBeHidden();
  await expect(button(editor, 'Arrange')).toBeVisible();
  await frame(editor, 'red.png').focus();
  await editor.page.keyboard.press('Delete');
  await editor.shows('green.png');
  await editor.page.locator('#show-bin').click();
  await editor.page.locator('#bin').getByRole('button', { name: 'Restore red' }).click();
  await editor.shows('red.png', 'green.png');
});

test('the title of the board stands in the header and in the tab, and follows changes', async ({ server, open }) => {
  const window = await open({ link: await server.makeLink('view') });
  await expect(window.page).toHaveTitle('realtime-photo');
  await server.changeBoard({ title: 'Summer party' });
  await expect(window.page).toHaveTitle('Summer party');
  await expect(window.page.getByRole('heading', { level: 1, name: 'Summer party' })).toBeVisible();
  await window.page.setViewportSize({ width: 390, height: 844 });
  await expect(window.page.locator('.line-title').getByText('Summer party')).toBeVisible();
});

test('a locked board says so in one line and is only looked at, until it is unlocked', async ({ server, open }) => {
  const guest = await open({ link: await server.makeLink('add'), slowMessages: true });
  await guest.drop([red]);
  await guest.shows('red.png');
  const host = await open({ link: await server.makeLink('host') });
  await server.changeBoard({ locked: true });
  const line = 'This board is locked. Only hosts can change it.';
  for (const { page } of [guest, host]) await expect(page.getByText(line)).toBeVisible();
  await expect(button(guest, 'Add photos')).toBeHidden();
  await expect(button(host, 'Add photos')).toBeVisible();
  await guest.drop([green]);
  await expect(notices(guest).getByText('This board is locked. Only its host can add photos.')).toBeVisible();
  await frame(guest, 'red.png').focus();
  await expect(guest.tile('red.png').getByLabel('Delete red')).toBeHidden();
  await expectAccessible(guest);

  await server.changeBoard({ locked: false });
  await expect(guest.page.getByText(line)).toBeHidden();
  await guest.drop([green]);
  await guest.shows('red.png', 'green.png');
});

test('/latest shows the drop zone only to those who may add', async ({ server, open }) => {
  await server.upload(red);
  const links = [await server.makeLink('view'), await server.makeLink('add')];
  for (const [at, link] of links.entries()) {
    const window = await open({ link });
    await window.page.goto(`${server.url}/latest`);
    await window.ready();
    await expect(window.page.locator('#images img')).toBeVisible();
    await expect(window.page.locator('#dropzone')).toBeVisible({ visible: at === 1 });
    await expectAccessible(window);
  }
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`a board that is only looked at is accessible, empty and filled, on a wide screen and a phone, in ${colorScheme}`, async ({ server, open }) => {
    await server.changeBoard({ title: 'Anna & Ben’s wedding' });
    const link = await server.makeLink('view');
    for (const options of [{}, PHONE]) {
      const window = await open({ link, colorScheme, reducedMotion: 'reduce', ...options });
      await expectAccessible(window);
    }
    await server.upload(red);
    for (const options of [{}, PHONE]) {
      const window = await open({ link, colorScheme, reducedMotion: 'reduce', ...options });
      await expect(window.page.locator('html')).toHaveAttribute('data-state', 'filled');
      await expectAccessible(window);
    }
  });
}
