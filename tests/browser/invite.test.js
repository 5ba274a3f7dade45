import { networkInterfaces } from 'node:os';
import { expect, test as base } from './fixtures.js';
import { expectAccessible } from './support/accessible.js';
import { readCode } from './support/code.js';
import { image } from './support/images.js';
import { NEEDS_LINKS, Server } from './support/server.js';
import { PHONE } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });

/** This machine as others in its network see it. `board.test` stands for it where there is no network. */
const host = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? 'board.test';
/** Plain HTTP is no secure context. */
const expectedErrors = [/Cross-Origin-Opener-Policy|untrustworthy/];

/** A server that its network reaches, and one that only this computer does. */
const test = base.extend({
  server: async ({}, use) => {
    const server = await Server.start({ listen: '0.0.0.0:0', options: ['--open'] });
    await use(server);
    await server.stop();
  },
});
const local = base;
/** A server of which its network needs links. */
const guarded = base.extend({
  server: async ({}, use) => {
    const server = await Server.start({ listen: '0.0.0.0:0', options: NEEDS_LINKS });
    await use(server);
    await server.stop();
  },
});

const addressOf = (server) => `http://${host}:${new URL(server.url).port}/`;
const share = ({ page }) => page.getByRole('button', { name: 'Share', exact: true });
const popover = ({ page }) => page.locator('#invite');

test('Share shows the address of the board as text and as a QR code, and copies it', async ({ server, open }) => {
  await server.upload(red);
  const url = addressOf(server);
  const window = await open({ url, expectedErrors });
  const { page } = window;
  await share(window).click();
  await expect(share(window)).toHaveAttribute('aria-expanded', 'true');
  await expect(popover(window).getByText(url, { exact: true })).toBeVisible();
  const code = popover(window).getByAltText('QR code');
  await expect(code).toBeVisible();
  expect(await readCode(code)).toBe(url);
  await expect(popover(window).getByText('Only this computer')).toBeHidden();

  await popover(window).getByRole('button', { name: 'Copy link' }).click();
  await expect(page.locator('#notices').getByText('Link copied', { exact: true })).toBeVisible();
  await expect(popover(window)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(popover(window)).toBeHidden();
  await expect(share(window)).toHaveAttribute('aria-expanded', 'false');
  await page.getByRole('button', { name: 'Your name' }).click();
  await expect(page.locator('#name-input')).toBeFocused();
  await page.keyboard.press('Control+v');
  await expect(page.locator('#name-input')).toHaveValue(url);
});

test('an empty board shows the QR code on a wide screen, and none on a phone', async ({ server, open }) => {
  const url = addressOf(server);
  const window = await open({ url, expectedErrors });
  const code = window.page.locator('#welcome').getByAltText('QR code');
  await expect(code).toBeVisible();
  expect(await readCode(code)).toBe(url);
  await server.upload(red);
  await expect(code).toBeHidden();

  const { id } = await server.image('red.png');
  await server.delete(id);
  const phone = await open({ url, expectedErrors, ...PHONE });
  await share(phone).tap();
  await expect(popover(phone).getByAltText('QR code')).toBeVisible();
  await expect(phone.page.locator('#welcome').getByAltText('QR code')).toBeHidden();
});

test('the show has the QR code in a corner, and large while there are no photos', async ({ server, open }) => {
  const url = addressOf(server);
  const window = await open({ url: `${url}#show`, expectedErrors });
  const show = window.page.locator('#show');
  const [small, large] = [show.locator('.show-code img'), show.locator('.show-empty img')];
  await expect(show.getByText('Scan to add the first.')).toBeVisible();
  expect(await readCode(large)).toBe(url);
  await server.upload(red);
  await expect(large).toBeHidden();
  await expect(show.getByText('Scan to add photos')).toBeVisible();
  expect(await readCode(small)).toBe(url);
});

guarded('where links are needed, the show has the QR code of the link that the start has shown, for those who may add', async ({ server, open }) => {
  await server.upload(red);
  const codeOf = async (role) => {
    const { url } = await server.makeLink(role);
    const { page } = await open({ url: `${addressOf(server)}${new URL(url).pathname.slice(1)}#show`, expectedErrors });
    await expect(page.locator('#show img.is-shown')).toBeVisible();
    return page.locator('.show-code img');
  };
  const code = await codeOf('add');
  await expect(code).toBeVisible();
  const address = await readCode(code);
  expect(address).toMatch(new RegExp(`^${addressOf(server)}join/[\\w-]{22}$`));
  const { page } = await open({ url: address, expectedErrors });
  await expect(page.getByRole('button', { name: 'Add photos' })).toBeVisible();
  await expect(await codeOf('view')).toBeHidden();
});

test('the share sheet of the system is offered where there is one', async ({ server, open }) => {
  const url = addressOf(server);
  const without = await open({ url, expectedErrors });
  await share(without).click();
  await expect(popover(without).getByRole('button', { name: 'Share…' })).toBeHidden();
  // A sheet of the system cannot be operated in a test.
  const prepare = (context) =>
    context.addInitScript(() => {
      navigator.share = async (data) => void (globalThis.noted = data);
    });
  const window = await open({ url, expectedErrors, prepare });
  await share(window).click();
  await expect(popover(window).getByText(url, { exact: true })).toBeVisible();
  await popover(window).getByRole('button', { name: 'Share…' }).click();
  expect(await window.page.evaluate(() => noted.url)).toBe(url);
});

local('a board that only this computer reaches says so, and shows no QR code', async ({ server, open }) => {
  const window = await open();
  await share(window).click();
  await expect(popover(window).getByText(`${server.url}/`, { exact: true })).toBeVisible();
  const { port } = new URL(server.url);
  await expect(popover(window).getByText(`Start the server with --listen 0.0.0.0:${port} to let phones in.`)).toBeVisible();
  await window.page.keyboard.press('Escape');
  await window.page.evaluate(() => void (location.hash = '#show'));
  await expect(window.page.getByText('No photos yet.')).toBeVisible();
  await expect(window.page.getByText('Scan to')).toHaveCount(3);
  for (const text of await window.page.getByText('Scan to').all()) await expect(text).toBeHidden();
  expect(window.hasRequested('/invite/qr.svg')).toBe(false);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`Share and the welcome are accessible in ${colorScheme}`, async ({ server, open }) => {
    for (const [url, options] of /** @type {const} */ ([[addressOf(server), {}], [`${server.url}/`, PHONE]])) {
      const window = await open({ url, expectedErrors, colorScheme, reducedMotion: 'reduce', ...options });
      await share(window).click();
      await expect(popover(window).getByAltText('QR code')).toBeVisible();
      await expectAccessible(window);
    }
  });
}
