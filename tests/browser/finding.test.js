import { expect, test } from './fixtures.js';
import { settledBox } from './support/board.js';
import { fill } from './support/fill.js';
import { image } from './support/images.js';

const images = Array.from({ length: 12 }, (_, at) => image(`${at}.png`, { width: 30, height: 30, colour: [at * 20, 90, 90] }));

test('a new window shows the newest rows of a large board whole, at a readable scale', async ({ server, open }) => {
  await fill(server, images, 96); // 13 columns and 8 rows, the last of which has 5.
  const window = await open();
  await window.settled();
  const newest = (await server.images())[0].fileName;
  const { x, y, width, height } = await settledBox(window, newest);
  expect(width, 'it is readable').toBeGreaterThan(80);
  expect(x >= 0 && y >= 70 && x + width <= 1280 && y + height <= 720, `it is whole: ${[x, y, width, height]}`).toBe(true);
  const boxes = await window.tiles().locator('[data-image]').evaluateAll((all) =>
    all.map((each) => each.getBoundingClientRect()).filter(({ right, left, bottom, top }) => right > 0 && left < innerWidth && bottom > 76 && top < innerHeight - 96),
  );
  expect(boxes.length, 'photos in view').toBeGreaterThan(20);
  const cut = boxes.filter(({ top, bottom, left, right }) => top < 75 || bottom > 705 || left < 0 || right > 1280);
  expect(cut.every(({ top }) => top < 75), 'only those of the row above are cut').toBe(true);
});

test('a button goes back to the photos when none is in view', async ({ server, open }) => {
  await server.upload(images[0], { x: -120, y: -75, w: 240 });
  const window = await open();
  const { page } = window;
  const back = page.getByRole('button', { name: 'Back to the photos' });
  await settledBox(window, '0.png');
  await expect(back).toBeHidden();
  await page.mouse.move(640, 400);
  await page.mouse.wheel(6000, 0);
  await expect(back).toBeVisible();
  await back.click();
  await expect(back).toBeHidden();
  await expect(window.tile('0.png')).toBeInViewport();
});

test('a map shows what lies outside the view while it moves, and moves the view', async ({ server, open }) => {
  await server.upload(images[0], { x: -120, y: -75, w: 240 });
  await server.upload(images[1], { x: 3000, y: 900, w: 240 });
  const window = await open({ slowMessages: true });
  const { page } = window;
  const map = page.locator('#map');
  await page.getByRole('button', { name: 'Show everything' }).click();
  await window.settled();
  await expect(map, 'nothing lies outside').toBeHidden();
  await page.getByRole('button', { name: 'Actual size' }).click();
  await page.mouse.move(640, 400);
  await page.mouse.wheel(-3000, -900);
  await window.settled();
  await expect(map).toBeVisible();
  const box = await window.boxOf(map);
  await page.mouse.move(box.x + box.width - 12, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 14, box.y + box.height * 0.6, { steps: 3 });
  await page.mouse.up();
  await expect(window.tile('1.png')).toBeInViewport();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.mouse.move(200, 400);
  await page.mouse.wheel(300, 300);
  await expect(map, 'on a phone').toBeVisible();
  const phone = await window.boxOf(map);
  expect(phone.width, 'a smaller one').toBeLessThan(130);
});
