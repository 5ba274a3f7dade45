// Photos that wait for the approval of a host.

import { expect, NEEDS_LINKS, test } from './fixtures.js';
import { expectAccessible } from './support/accessible.js';
import { announces } from './support/board.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

test.use({ serverOptions: NEEDS_LINKS });

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });

const waitingBar = ({ page }) => page.locator('#waiting');

/** A guest, another guest and a host of a moderated board, to which the first has added photos. */
async function moderated(server, open, photos = [red]) {
  await server.changeBoard({ moderated: true });
  const link = await server.makeLink('add');
  const [guest, other, host] = [await open({ link }), await open({ link }), await open({ link: await server.makeLink('host') })];
  for (const [at, photo] of photos.entries()) {
    await guest.drop([photo], 300 + at * 260, 400);
    await expect(guest.tile(photo.name)).toBeVisible();
  }
  return { guest, other, host };
}

test('a photo of a guest waits: seen by the guest and by hosts, until one approves it on the board', async ({ server, open }) => {
  const { guest, other, host } = await moderated(server, open);
  await expect(guest.tile('red.png').getByText('Waiting for approval', { exact: true })).toBeVisible();
  await announces(guest, /^red is waiting for approval\.$/);
  await expect(waitingBar(guest)).toBeHidden();
  await expect(host.tile('red.png').getByText('Waiting', { exact: true })).toBeVisible();
  await expect(waitingBar(host).getByText('1 photo is waiting')).toBeVisible();
  await other.shows();

  await host.tile('red.png').hover();
  await host.tile('red.png').getByRole('button', { name: 'Approve' }).click();
  await other.shows('red.png');
  await announces(guest, /^red was approved\.$/);
  for (const window of [guest, host]) await expect(window.tile('red.png').locator('.waiting')).toHaveCount(0);
  await expect(waitingBar(host)).toBeHidden();
});

test('a host approves all photos at once, and goes from one to the next before', async ({ server, open }) => {
  const { other, host } = await moderated(server, open, [red, green]);
  await expect(waitingBar(host).getByText('2 photos are waiting')).toBeVisible();
  await waitingBar(host).getByRole('button', { name: 'Show' }).click();
  await expect(host.tile('red.png')).toHaveClass(/is-highlighted/);
  await waitingBar(host).getByRole('button', { name: 'Show' }).click();
  await expect(host.tile('green.png')).toHaveClass(/is-highlighted/);
  await waitingBar(host).getByRole('button', { name: 'Approve all (2)' }).click();
  await other.shows('red.png', 'green.png');
  await expect(waitingBar(host)).toBeHidden();
});

test('a host approves with the keyboard, and the focus stays on the photo', async ({ server, open }) => {
  const { other, host } = await moderated(server, open);
  const photo = host.tile('red.png').locator('[data-image]');
  await photo.focus();
  await expect(photo).toHaveAccessibleName('red, waiting for approval');
  const approve = host.tile('red.png').getByRole('button', { name: 'Approve' });
  await expect(approve).toBeVisible();
  await approve.focus();
  await host.page.keyboard.press('Enter');
  await other.shows('red.png');
  await expect(photo).toBeFocused();
});

test('a host approves in the album and in the lightbox', async ({ server, open }) => {
  const { other, host } = await moderated(server, open, [red, green]);
  const { page } = host;
  await page.getByRole('link', { name: 'Album' }).click();
  const waiting = page.locator('.photo.is-waiting');
  await expect(waiting).toHaveCount(2);
  await waiting.first().hover();
  await waiting.first().getByRole('button', { name: 'Approve' }).click();
  await other.shows('green.png');
  await expect(waiting).toHaveCount(1);
  await expect(page.locator('#lightbox')).toBeHidden();
  await waiting.locator('a').click();
  const lightbox = page.locator('#lightbox');
  await expect(lightbox.getByText('Waiting', { exact: true })).toBeVisible();
  await lightbox.getByRole('button', { name: 'Approve' }).click();
  await other.shows('red.png', 'green.png');
  await expect(lightbox.getByRole('button', { name: 'Approve' })).toBeHidden();
  await expect(lightbox.locator('[data-stage]')).toBeFocused();
});

test('the show and the print never show a photo that waits, and the show takes it up once it is approved', async ({ server, open }) => {
  const { host } = await moderated(server, open);
  const { page } = host;
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  await expect(page.locator('.print')).toHaveCount(1);
  await expect(page.locator('.print li')).toHaveCount(0);
  await page.evaluate(() => dispatchEvent(new Event('afterprint')));
  await page.evaluate(() => void (location.hash = '#show'));
  const show = page.locator('#show');
  await expect(show.getByText('No photos yet.')).toBeVisible();
  await server.upload(blue);
  await expect(show.locator('img.is-shown')).toHaveAttribute('alt', 'blue');
  for (const key of ['ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
  await expect(show.locator('img.is-shown')).toHaveAttribute('alt', 'blue');
  await page.evaluate(() => fetch('/images/approve', { method: 'POST' }));
  await expect(show.locator('img.is-shown')).toHaveAttribute('alt', 'red');
});

test('a guest deletes a photo of theirs that waits, and the host is no longer asked', async ({ server, open }) => {
  const { guest, host } = await moderated(server, open);
  await expect(waitingBar(host)).toBeVisible();
  await guest.tile('red.png').locator('[data-image]').focus();
  await guest.page.keyboard.press('Delete');
  await guest.shows();
  await host.shows();
  await expect(waitingBar(host)).toBeHidden();
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`photos that wait are accessible on board, album and lightbox, wide and on a phone, in ${colorScheme}`, async ({ server, open }) => {
    await server.changeBoard({ moderated: true });
    const guest = await open({ link: await server.makeLink('add') });
    await guest.drop([red, green]);
    await expect(guest.page.locator('.is-waiting')).toHaveCount(2);
    const link = await server.makeLink('host');
    for (const options of [{}, PHONE]) {
      const window = await open({ link, colorScheme, reducedMotion: 'reduce', ...options });
      const { page } = window;
      for (const view of ['board', 'album']) {
        await page.evaluate((view) => void (location.hash = `#${view}`), view);
        await expect(page.locator('.is-waiting:visible').first()).toBeVisible();
        await expectAccessible(window);
      }
      await page.locator('.photo.is-waiting a').first().click();
      await expect(page.locator('#lightbox.is-loaded')).toBeVisible();
      await expectAccessible(window);
    }
  });
}
