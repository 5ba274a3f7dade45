import { expect, test } from './fixtures.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

const REFUSED = [/Failed to load resource: the server responded with a status of 4\d\d/];

const trayOf = ({ page }) => page.getByRole('region', { name: 'Uploads' });

test('on a phone what was refused is one line, which opens to a list that scrolls and leaves most of the board free', async ({ open }) => {
  const phone = await open({ ...PHONE, expectedErrors: REFUSED });
  const texts = Array.from({ length: 12 }, (_, at) => ({ name: `${at}.png`, bytes: `This is text ${at}.` }));
  const choose = phone.page.locator('.welcome').getByRole('button', { name: 'Choose photos' });
  await phone.chooseAfter(() => choose.tap(), texts);
  const toggle = trayOf(phone).getByRole('button', { name: '12 not added' });
  await expect(toggle).toHaveAttribute('aria-expanded', 'false');
  await phone.settled();
  expect((await phone.boxOf(trayOf(phone))).height, 'one line').toBeLessThan(70);
  await toggle.tap();
  await expect(toggle).toHaveAttribute('aria-expanded', 'true');
  await phone.settled();
  expect((await phone.boxOf(trayOf(phone))).height).toBeLessThanOrEqual(0.4 * PHONE.viewport.height + 1);
  const last = trayOf(phone).getByRole('button', { name: 'Dismiss 11.png' });
  await last.scrollIntoViewIfNeeded();
  await last.tap();
  await expect(trayOf(phone).getByRole('button', { name: '11 not added' })).toBeVisible();
  await trayOf(phone).getByRole('button', { name: 'Dismiss all' }).tap();
  await expect(trayOf(phone)).toBeHidden();
});

test('canceling all also cancels files that were added with them and are not in the tray yet', async ({ server, open }) => {
  const window = await open();
  const { page } = window;
  await page.route('**/image', () => {});
  // The preview of the last file is not loaded until the others are canceled.
  await page.evaluate(() => {
    const { createObjectURL } = URL;
    let count = 0;
    globalThis.release = () => {};
    const held = new Promise((resolve) => (globalThis.release = resolve));
    const { set } = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, 'src');
    URL.createObjectURL = (file) => createObjectURL(file) + (++count === 30 ? '#held' : '');
    Object.defineProperty(HTMLImageElement.prototype, 'src', {
      set(url) {
        if (url.endsWith('#held')) void held.then(() => set.call(this, url));
        else set.call(this, url);
      },
    });
  });
  const photos = Array.from({ length: 30 }, (_, at) => image(`${at}.png`, { width: 20 + at, height: 20 }));
  await window.choose(page.getByRole('button', { name: 'Choose photos' }), photos);
  await expect(page.locator('.placeholder')).toHaveCount(24);
  await page.getByRole('button', { name: 'Cancel all' }).click();
  await expect(page.locator('#uploads')).toBeHidden();
  await page.evaluate(() => globalThis.release());
  await page.unroute('**/image');
  await window.drop([image('red.png', { colour: [190, 40, 40] })]);
  await window.shows('red.png');
  expect(await server.images()).toHaveLength(1);
});

test('of many photos only a few are sent at a time, and the server is not asked about each of them first', async ({ server, open }) => {
  const window = await open();
  const { page } = window;
  await page.evaluate(() => {
    globalThis.most = 0;
    activity.onEachFrame(() => {
      const rings = [...document.querySelectorAll('.placeholder .ring')].filter((ring) => ring.checkVisibility());
      globalThis.most = Math.max(globalThis.most, rings.length);
    });
  });
  const photos = Array.from({ length: 40 }, (_, at) => image(`${at}.png`, { width: 20 + at, height: 20 }));
  await window.choose(page.getByRole('button', { name: 'Choose photos' }), photos);
  // Those far outside the view have no tile.
  await expect.poll(async () => (await server.images()).length).toBe(40);
  await expect(page.locator('#uploads')).toBeHidden();
  expect(window.requests.filter((url) => new URL(url).pathname === '/images')).toEqual([]);
  expect(await page.evaluate(() => globalThis.most), 'rings in a frame').toBeLessThanOrEqual(12);
});
