import { expect, test } from './fixtures.js';
import { eventsOf } from './support/board.js';
import { image } from './support/images.js';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
/** The margin that the view leaves below the photos. */
const MARGIN_PX = 96;

const first = image('first.png', { colour: [190, 40, 40], width: 900, height: 1600 });
const second = image('second.png', { colour: [30, 140, 60] });

const overlap = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test('on a phone the line about others covers no photo, and no button', async ({ server, open }) => {
  await server.upload(first);
  const window = await open({ ...PHONE, path: '/#board' });
  await window.settled();
  await server.upload(second, { author: 'Ada Lovelace', x: 5000, y: 0 });
  const line = eventsOf(window).locator('span');
  await expect(line).toHaveText(/Ada Lovelace added/);
  const box = await window.boxOf(line);
  expect(box.y, 'it is below the photos').toBeGreaterThanOrEqual(844 - MARGIN_PX);
  for (const button of await window.page.locator('.tools button:visible').all()) {
    expect(overlap(box, await window.boxOf(button)), 'it covers a button').toBe(false);
  }
});

test('in the lightbox of a phone the line covers neither the counter nor the button that closes', async ({ server, open }) => {
  const { id } = await server.upload(first);
  await server.upload(second, { x: 2000, y: 0 });
  const window = await open({ ...PHONE, path: `/#image=${id}` });
  const { page } = window;
  await expect(page.locator('.lightbox-count:visible')).toHaveText(/of 2$/);
  await server.upload(image('third.png'), { author: 'A person with quite a long name', x: 4000, y: 0 });
  const line = eventsOf(window).locator('span');
  await expect(line).toHaveText(/quite a long name/);
  const box = await window.boxOf(line);
  expect(box.y + box.height, 'it is above the photo').toBeLessThanOrEqual(64);
  for (const name of ['.lightbox-count', '.lightbox-close']) {
    expect(overlap(box, await window.boxOf(page.locator(name).first())), `it covers ${name}`).toBe(false);
  }
});
