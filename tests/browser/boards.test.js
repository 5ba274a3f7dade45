// Several boards: the list of the administrator, and that nothing of one board gets onto another.

import { expect, NEEDS_LINKS, test } from './fixtures.js';
import { expectAccessible } from './support/accessible.js';
import { readCode } from './support/code.js';
import { image } from './support/images.js';
import { ADMIN_TOKEN } from './support/server.js';
import { PHONE } from './support/touch.js';
import { SERVER_DOWN } from './support/window.js';

test.use({ serverOptions: NEEDS_LINKS });

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });

const row = ({ page }, title) => page.getByRole('listitem').filter({ has: page.locator('[data-title]').getByText(title, { exact: true }) });
const dialog = ({ page }) => page.getByRole('dialog');

/** The list of boards of the administrator. */
async function openBoards(server, open, options = {}) {
  const window = await open({ ...options, url: `${server.url}/join/${ADMIN_TOKEN}` });
  await window.page.goto(`${server.url}/boards`);
  await window.ready();
  return window;
}

test('the administrator makes a board, whose two links are shown once, and opens it', async ({ server, open }) => {
  const admin = await openBoards(server, open);
  const { page } = admin;
  await expect(row(admin, 'Photos').getByText('No photos')).toBeVisible();
  await page.getByRole('button', { name: 'New board' }).click();
  await expect(dialog(admin).getByLabel('Title')).toBeFocused();
  await page.keyboard.type('Summer party');
  await page.keyboard.press('Enter');
  await expect(dialog(admin).getByRole('heading', { name: 'Summer party' })).toBeVisible();
  const cards = dialog(admin).locator('.link-card');
  await expect(cards).toHaveCount(2);
  const urls = await cards.locator('code').allInnerTexts();
  for (const [at, url] of urls.entries()) {
    await expect(cards.nth(at).getByRole('img')).toBeVisible();
    await expect.poll(() => readCode(cards.nth(at).getByRole('img'))).toBe(url);
  }
  const [host, guest] = [await open({ link: { url: urls[0] } }), await open({ link: { url: urls[1] } })];
  await expect(host.page.getByRole('button', { name: 'Share', exact: true })).toBeVisible();
  await expect(guest.page).toHaveTitle('Summer party');
  await guest.drop([red]);
  await host.shows('red.png');

  await dialog(admin).getByRole('button', { name: 'Done' }).click();
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  const size = '1.2 KB';
  await expect(row(admin, 'Summer party').getByText(`1 photo · ${size} · Made on`)).toBeVisible();
  await expect(row(admin, 'Summer party').getByText('2 here')).toBeVisible();
  const totals = new RegExp(`^2 people here · 1 photo · ${size} used · [0-9.,]+ GB free · Version 0[0-9.]+$`.replaceAll(' ', '\\s'));
  await expect(page.locator('#server')).toHaveText(totals);
  await page.getByRole('button', { name: 'New board' }).click();
  await expect(dialog(admin).locator('.link-card')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await row(admin, 'Summer party').getByRole('link').click();
  await admin.ready();
  await admin.shows('red.png');
});

test('the administrator deletes a board after one question, and its viewers are told', async ({ server, open }) => {
  const { id, links } = await server.makeBoard('Class 7b');
  const guest = await open({ link: links[1] });
  const admin = await openBoards(server, open, { slowMessages: true });
  await expect(row(admin, 'Photos').getByRole('button', { name: 'Delete' })).toBeHidden();
  await row(admin, 'Class 7b').getByRole('button', { name: 'Delete Class 7b' }).click();
  await dialog(admin).getByRole('button', { name: 'Cancel' }).click();
  await row(admin, 'Class 7b').getByRole('button', { name: 'Delete Class 7b' }).click();
  await expect(dialog(admin).getByText('Delete “Class 7b”?')).toBeVisible();
  await dialog(admin).getByRole('button', { name: 'Delete board' }).click();
  await expect(row(admin, 'Class 7b')).toHaveCount(0);
  await expect(admin.page.locator('#notices').getByText('“Class 7b” was deleted.')).toBeVisible();
  await expect(guest.page.getByRole('heading', { name: 'This board was deleted' })).toBeVisible();
  const response = await guest.page.request.get(`${server.url}/b/${id}`, { headers: { Accept: 'text/html' } });
  expect(response.status()).toBeGreaterThanOrEqual(400);
});

test('a host finds the list of boards only as administrator', async ({ server, open }) => {
  const host = await open({ link: await server.makeLink('host') });
  const admin = await open({ url: `${server.url}/join/${ADMIN_TOKEN}` });
  for (const { page } of [host, admin]) await page.getByRole('button', { name: 'Share', exact: true }).click();
  await expect(admin.page.getByRole('link', { name: 'All boards' })).toBeVisible();
  await expect(host.page.getByRole('link', { name: 'All boards' })).toBeHidden();
  await admin.page.getByRole('link', { name: 'All boards' }).click();
  await expect(admin.page.getByRole('heading', { name: 'Boards', exact: true })).toBeVisible();
});

test('photos, the bin, /latest and the download belong to their board', async ({ server, open }) => {
  const { id, links } = await server.makeBoard('Class 7b');
  await server.upload(green);
  const one = await open({ link: links[0] });
  const main = await open({ link: await server.makeLink('edit') });
  await one.drop([red]);
  await one.shows('red.png');
  await main.shows('green.png');
  expect((await server.images(id)).map(({ fileName }) => fileName)).toEqual(['red.png']);

  await expect(one.page.getByRole('link', { name: 'Download all photos' })).toHaveAttribute('href', `/images/download?board=${id}`);
  await one.page.getByRole('link', { name: 'Latest' }).click();
  await one.ready();
  await expect(one.page).toHaveURL(`${server.url}/b/${id}/latest`);
  await expect(one.page).toHaveTitle('Latest · Class 7b');
  await expect(one.page.locator('#name')).toHaveText('red.png');
  await one.page.getByRole('link', { name: 'Board' }).click();
  await one.ready();
  await expect(one.page).toHaveURL(`${server.url}/b/${id}`);

  await one.tile('red.png').locator('[data-image]').focus();
  await one.page.keyboard.press('Delete');
  await one.shows();
  await main.page.locator('#show-bin').click();
  await expect(main.page.getByText('Nothing here.')).toBeVisible();
  await one.page.locator('#show-bin').click();
  await one.page.locator('#bin').getByRole('button', { name: 'Restore red' }).click();
  await one.shows('red.png');
});

test('what can be undone stays with its board', async ({ server, open }) => {
  const { links } = await server.makeBoard('Class 7b');
  const window = await open({ link: links[0] });
  const { page } = window;
  await window.drop([red]);
  await window.tile('red.png').locator('[data-image]').focus();
  await page.keyboard.press('Delete');
  await window.shows();
  const board = page.url();
  await expect(page.getByRole('button', { name: 'Undo', exact: true }).first()).toBeEnabled();
  await page.goto((await server.makeLink('edit')).url);
  await window.ready();
  await expect(page.locator('#undo')).toBeHidden();
  await page.goto(board);
  await window.ready();
  await page.locator('#undo').click();
  await window.shows('red.png');
});

test('a photo that could not be sent is sent later to the board that it was added to', async ({ server, open }) => {
  const { id, links } = await server.makeBoard('Class 7b');
  const window = await open({ link: links[1], expectedErrors: SERVER_DOWN });
  const { page } = window;
  const board = page.url();
  await server.kill();
  await window.lost();
  await window.drop([red]);
  await expect(page.locator('.upload[data-state=offline]')).toHaveCount(1);
  await page.goto('about:blank');
  await server.start();
  await page.goto((await server.makeLink('add')).url);
  await window.ready();
  await window.drop([green]);
  await window.shows('green.png');
  await page.goto(board);
  await window.shows('red.png');
  expect((await server.images(id)).map(({ fileName }) => fileName)).toEqual(['red.png']);
  expect((await server.images()).map(({ fileName }) => fileName)).toEqual(['green.png']);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  for (const [size, options] of Object.entries({ 'a wide screen': {}, 'a phone': PHONE })) {
    test(`the boards are accessible on ${size}, in ${colorScheme}`, async ({ server, open }) => {
      await server.makeBoard('Class 7b');
      const admin = await openBoards(server, open, { colorScheme, reducedMotion: 'reduce', ...options });
      const { page } = admin;
      await expectAccessible(admin);
      await page.getByRole('button', { name: 'New board' }).click();
      await expectAccessible(admin);
      await dialog(admin).getByLabel('Title').fill('Summer party');
      await page.keyboard.press('Enter');
      await expect(dialog(admin).getByRole('img')).toHaveCount(2);
      await expectAccessible(admin);
    });
  }
}
