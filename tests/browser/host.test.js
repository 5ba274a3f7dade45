// The host's panel: links and settings.

import { expect, NEEDS_LINKS, test } from './fixtures.js';
import { expectAccessible } from './support/accessible.js';
import { readCode } from './support/code.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

test.use({ serverOptions: NEEDS_LINKS });

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });

const panel = ({ page }) => page.locator('#host');
const share = ({ page }) => page.getByRole('button', { name: 'Share', exact: true });
const card = (window) => panel(window).locator('.link-card');
const confirm = ({ page }) => page.locator('#confirm');
const refusal = ({ page }) => page.locator('.refusal');

/** A host with an open panel. */
async function openPanel(server, open, options = {}) {
  const host = await open({ link: await server.makeLink('host', 'main', { name: 'Me' }), ...options });
  await share(host).click();
  await expect(panel(host)).toBeVisible();
  return host;
}

test('a host makes a link, which is shown once with its QR code and lets a guest in', async ({ server, open }) => {
  const host = await openPanel(server, open, { slowMessages: true });
  const { page } = host;
  await panel(host).getByLabel('Name').fill('Guests');
  await panel(host).getByLabel('Expires').selectOption('In 7 days');
  await panel(host).getByRole('button', { name: 'Make link' }).click();
  await expect(card(host).getByRole('heading', { name: 'Link for Guests' })).toBeVisible();
  await expect(card(host).getByText('Can add photos. Copy it now: it is not shown again.')).toBeVisible();
  const url = await card(host).locator('code').innerText();
  expect(url).toMatch(new RegExp(`^${server.url}/join/[\\w-]{22}$`));
  const code = card(host).getByRole('img');
  await expect(code).toBeVisible();
  await expect.poll(() => readCode(code)).toBe(url);
  await card(host).getByRole('button', { name: 'Copy link' }).click();
  await expect(page.locator('#notices').getByText('Link copied')).toBeVisible();
  const line = panel(host).getByRole('listitem').filter({ hasText: 'Guests' });
  await expect(line).toHaveText(/Can add photos · Expires on \d+ \w+/);

  const guest = await open({ link: { url } });
  await expect(guest.page).toHaveURL(`${server.url}/`);
  await guest.drop([red]);
  await host.shows('red.png');

  await page.keyboard.press('Escape');
  await share(host).click();
  await expect(card(host)).toHaveCount(0);
  await expect(panel(host).getByText(url)).toHaveCount(0);
  await expect(panel(host).getByRole('button', { name: 'Make link' })).toBeVisible();
});

test('a host chooses what a link permits, and the keyboard is enough', async ({ server, open }) => {
  const host = await openPanel(server, open);
  const { page } = host;
  await expect(panel(host).getByRole('radio', { name: /^Add photos/ })).toBeChecked();
  await panel(host).getByRole('radio', { name: /^Add photos/ }).focus();
  await page.keyboard.press('ArrowUp');
  await expect(panel(host).getByRole('radio', { name: /^Look/ })).toBeChecked();
  await panel(host).getByLabel('Name').focus();
  await page.keyboard.press('Enter');
  await expect(card(host).getByText('Can look.')).toBeVisible();
  await expect(card(host).getByRole('button', { name: 'Copy link' })).toBeFocused();
  const looking = await open({ link: { url: await card(host).locator('code').innerText() } });
  await expect(looking.page.getByRole('heading', { name: 'No photos yet' })).toBeVisible();
  await panel(host).getByRole('button', { name: 'Make another' }).click();
  await expect(panel(host).getByRole('button', { name: 'Make link' })).toBeFocused();
});

test('the share sheet of the system is offered for a link where there is one', async ({ server, open }) => {
  const prepare = (context) =>
    context.addInitScript(() => {
      navigator.share = async (data) => void (globalThis.noted = data);
    });
  const host = await openPanel(server, open, { prepare });
  await panel(host).getByRole('button', { name: 'Make link' }).click();
  await card(host).getByRole('button', { name: 'Share…' }).click();
  expect(await host.page.evaluate(() => noted.url)).toBe(await card(host).locator('code').innerText());
});

test('a host revokes a link after one question, and whoever came by it is told at once', async ({ server, open }) => {
  const link = await server.makeLink('add', 'main', { name: 'Guests' });
  const guest = await open({ link });
  const host = await openPanel(server, open);
  const revoke = panel(host).getByRole('button', { name: 'Revoke Guests' });
  await revoke.click();
  await expect(confirm(host).getByText('Revoke the link “Guests”?')).toBeVisible();
  await confirm(host).getByRole('button', { name: 'Cancel' }).click();
  await expect(revoke).toBeVisible();
  await revoke.click();
  await confirm(host).getByRole('button', { name: 'Revoke' }).click();
  await expect(revoke).toHaveCount(0);
  await expect(refusal(guest).getByRole('heading', { name: 'This link no longer works' })).toBeVisible();
  await expect(panel(host).getByRole('button', { name: 'Revoke Me' })).toBeVisible();
});

test('a host names, locks and moderates the board, and the page of a guest follows', async ({ server, open }) => {
  const guest = await open({ link: await server.makeLink('add') });
  const host = await openPanel(server, open);
  const { page } = host;
  await panel(host).getByLabel('Title').fill('Summer party');
  await page.keyboard.press('Enter');
  await expect(panel(host).getByText('Saved.')).toBeVisible();
  await expect(guest.page).toHaveTitle('Summer party');
  await panel(host).getByRole('switch', { name: /^Locked/ }).click();
  await expect(guest.page.getByText('This board is locked. Only hosts can change it.')).toBeVisible();
  await panel(host).getByRole('switch', { name: /^Locked/ }).press('Space');
  await expect(guest.page.getByRole('button', { name: 'Choose photos' })).toBeVisible();
  await panel(host).getByRole('switch', { name: /^Approve photos first/ }).click();
  await expect.poll(async () => (await server.board()).settings).toEqual({ locked: false, moderated: true });
  await guest.drop([red]);
  await expect(guest.tile('red.png').getByText('Waiting for approval', { exact: true })).toBeVisible();
});

test('an empty title is not saved, and the title of another host is taken over', async ({ server, open }) => {
  await server.changeBoard({ title: 'Summer party' });
  const host = await openPanel(server, open);
  const title = panel(host).getByLabel('Title');
  await title.fill(' ');
  await host.page.keyboard.press('Enter');
  await expect(title).toHaveValue('Summer party');
  await server.changeBoard({ title: 'Garden party' });
  await expect(title).toHaveValue('Garden party');
});

test('a host clears the board after one question, and restores it from Recently deleted', async ({ server, open }) => {
  await server.upload(red);
  await server.upload(green);
  const guest = await open({ link: await server.makeLink('view') });
  const host = await openPanel(server, open, { slowMessages: true });
  const { page } = host;
  await panel(host).getByRole('button', { name: 'Clear…' }).click();
  await expect(confirm(host).getByText('All 2 photos move to Recently deleted')).toBeVisible();
  await confirm(host).getByRole('button', { name: 'Cancel' }).click();
  await guest.shows('red.png', 'green.png');
  await panel(host).getByRole('button', { name: 'Clear…' }).click();
  await confirm(host).getByRole('button', { name: 'Clear the board' }).click();
  await guest.shows();
  await expect(page.locator('#notices').getByText('2 photos moved to Recently deleted.')).toBeVisible();
  await page.keyboard.press('Escape');
  await page.locator('#show-bin').click();
  await page.locator('#bin').getByRole('button', { name: 'Restore all' }).click();
  await guest.shows('red.png', 'green.png');
});

test('the QR code of a link for guests is shown in the show of the host who made it, and to nobody else', async ({ server, open }) => {
  await server.upload(red);
  const host = await openPanel(server, open);
  await panel(host).getByRole('button', { name: 'Make link' }).click();
  const url = await card(host).locator('code').innerText();
  await host.page.keyboard.press('Escape');
  const guest = await open({ link: await server.makeLink('add') });
  for (const { page } of [guest, host]) await page.getByRole('link', { name: 'Show' }).click();
  const code = host.page.locator('.show-code img');
  await expect(code).toBeVisible();
  await expect.poll(() => readCode(code)).toBe(url);
  await expect(guest.page.locator('#show img.is-shown')).toBeVisible();
  await expect(guest.page.locator('.show-code')).toBeHidden();
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  for (const [size, options] of Object.entries({ 'a wide screen': {}, 'a phone': PHONE })) {
    test(`the host's panel, a new link and its questions are accessible on ${size}, in ${colorScheme}`, async ({ server, open }) => {
      await server.makeLink('add', 'main', { name: 'Guests' });
      const host = await openPanel(server, open, { colorScheme, reducedMotion: 'reduce', ...options });
      await expect(panel(host).getByRole('button', { name: 'Revoke Guests' })).toBeVisible();
      await expectAccessible(host);
      await panel(host).getByRole('button', { name: 'Make link' }).click();
      await expect(card(host).getByRole('img')).toBeVisible();
      await expectAccessible(host);
      await panel(host).getByRole('button', { name: 'Revoke Guests' }).click();
      await expect(confirm(host)).toBeVisible();
      await expectAccessible(host);
    });
  }
}

test.describe('where nobody needs a link', () => {
  test.use({ serverOptions: [] });

  test('Share shows the address as before, and leads to the title and to clearing', async ({ server, open }) => {
    await server.upload(red);
    const window = await open();
    await share(window).click();
    await expect(window.page.locator('#invite').getByText(`${server.url}/`, { exact: true })).toBeVisible();
    await window.page.getByRole('button', { name: 'Board settings…' }).click();
    await expect(panel(window).getByRole('heading', { name: 'Board settings' })).toBeVisible();
    for (const name of ['Locked', 'Approve photos first', 'Make link']) await expect(panel(window).getByText(name, { exact: true })).toBeHidden();
    await panel(window).getByLabel('Title').fill('Garden');
    await window.page.keyboard.press('Enter');
    await expect(window.page).toHaveTitle('Garden');
    await expectAccessible(window);
    await panel(window).getByRole('button', { name: 'Clear…' }).click();
    await confirm(window).getByRole('button', { name: 'Clear the board' }).click();
    await window.shows();
  });
});
