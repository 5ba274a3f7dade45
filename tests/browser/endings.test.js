// The end of access, and pages that are refused.

import { expect, NEEDS_LINKS, test } from './fixtures.js';
import { expectAccessible } from './support/accessible.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';
import { SERVER_DOWN } from './support/window.js';

test.use({ serverOptions: NEEDS_LINKS });

const red = image('red.png', { colour: [190, 40, 40] });

/** Console errors of requests that the server refuses. */
const REFUSED = [/status of 40[134]/, /WebSocket connection to .* failed/];
const heading = ({ page }, name) => page.getByRole('heading', { name });
const sockets = (window) => window.requests.filter((url) => url.startsWith('ws')).length;

test('a stranger sees that they need an invitation, also on a board that does not exist', async ({ server, page }) => {
  const { id } = await server.makeBoard('Class 7b');
  for (const path of ['/', '/latest', '/boards', `/b/${id}`, '/b/AAAAAAAAAAAAAAAAAAAAAA']) {
    const response = await page.goto(server.url + path);
    expect(response?.status()).toBe(401);
    await expect(heading({ page }, 'You need an invitation')).toBeVisible();
    await expect(page.getByText('Ask whoever runs this board for a link or scan its QR code.')).toBeVisible();
  }
});

test('a revoked link ends the page with a message that stays, and opens no further session', async ({ server, open }) => {
  const link = await server.makeLink('add');
  const guest = await open({ link });
  await guest.drop([red]);
  await guest.shows('red.png');
  await server.revoke(link.id);
  await expect(heading(guest, 'This link no longer works')).toBeVisible();
  await expect(guest.page.getByText('It was revoked or has expired.')).toBeVisible();
  const before = sockets(guest);
  for (const key of ['Escape', 'Escape', 'Escape']) await guest.page.keyboard.press(key);
  await guest.page.evaluate(() => dispatchEvent(new Event('online')));
  await expect(heading(guest, 'This link no longer works')).toBeVisible();
  expect(sockets(guest)).toBe(before);
  guest.expectedErrors = REFUSED;
  await guest.page.getByRole('button', { name: 'Try again' }).click();
  await expect(heading(guest, 'You need an invitation')).toBeVisible();
});

test('an expired link ends the page', async ({ server, open }) => {
  // A link gets its expiry when it is made. By then even a slow machine has opened the page.
  const expiresAt = new Date(Date.now() + 30_000).toISOString();
  const guest = await open({ link: await server.makeLink('view', 'main', { expiresAt }) });
  await expect(heading(guest, 'This link no longer works')).toBeVisible();
});

test('a deleted board says so over whatever is open, on the board and on /latest', async ({ server, open }) => {
  const { id, links } = await server.makeBoard('Class 7b');
  await server.upload(red, {}, id);
  const [board, latest] = [await open({ link: links[1] }), await open({ link: links[1] })];
  await latest.page.goto(`${latest.page.url()}/latest`);
  await latest.ready();
  await board.tile('red.png').locator('[data-image]').focus();
  await board.page.keyboard.press('Enter');
  await expect(board.page.locator('#lightbox')).toBeVisible();
  board.expectedErrors = latest.expectedErrors = REFUSED;
  await server.deleteBoard(id);
  for (const window of [board, latest]) await expect(heading(window, 'This board was deleted')).toBeVisible();
});

test('a session that the server refuses is explained instead of taken for a lost connection', async ({ server, open }) => {
  const guest = await open({ link: await server.makeLink('add'), expectedErrors: [...SERVER_DOWN, ...REFUSED] });
  await server.kill();
  await guest.lost();
  await expect(guest.page.locator('#trouble').getByText('Connection lost. Reconnecting…')).toBeVisible();
  await guest.context.clearCookies();
  await server.start();
  await expect(heading(guest, 'You need an invitation')).toBeVisible();
  await expect(guest.page.getByText('You need a link to this board.')).toBeVisible();
});

for (const [status, title] of /** @type {const} */ ([[403, 'You can’t open this board here'], [404, 'This board doesn’t exist']])) {
  test(`a session refused with ${status} is explained with the words of the server`, async ({ server, open }) => {
    const guest = await open({ link: await server.makeLink('add'), expectedErrors: [...SERVER_DOWN, ...REFUSED] });
    await guest.page.route('**/boards/main', (route) =>
      route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ status, detail: 'Because of this.' }) }),
    );
    await server.kill();
    await guest.lost();
    await guest.context.clearCookies();
    await server.start();
    await expect(heading(guest, title)).toBeVisible();
    await expect(guest.page.getByText('Because of this.')).toBeVisible();
  });
}

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`the end of access and the refused page are accessible, wide and on a phone, in ${colorScheme}`, async ({ server, open }) => {
    for (const options of [{}, PHONE]) {
      const link = await server.makeLink('add');
      const guest = await open({ link, colorScheme, reducedMotion: 'reduce', ...options });
      await server.revoke(link.id);
      await expect(heading(guest, 'This link no longer works')).toBeVisible();
      await expectAccessible(guest);
      guest.expectedErrors = REFUSED;
      await guest.page.goto(server.url);
      await expect(heading(guest, 'You need an invitation')).toBeVisible();
      await guest.page.emulateMedia({ colorScheme });
    }
  });
}
