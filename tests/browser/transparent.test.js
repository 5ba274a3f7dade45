// Most transparent drawings are dark: in the dark scheme they would not be seen without a light ground.

import { expect, test } from './fixtures.js';
import { image } from './support/images.js';

const drawing = image('drawing.png', { colour: [20, 20, 20], isDrawing: true });

/** A pixel of the ground of the drawing, as it is on the screen. */
async function groundOf({ page }, photo) {
  const screenshot = (await photo.screenshot()).toString('base64');
  return page.evaluate(async (screenshot) => {
    const bytes = Uint8Array.from(atob(screenshot), (char) => char.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const context = new OffscreenCanvas(1, 1).getContext('2d');
    context.drawImage(bitmap, -bitmap.width / 10, -bitmap.height / 2);
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  }, screenshot);
}

/** Waits until the ground of the drawing is light. */
async function isOnLightGround(window, photo) {
  const darkest = async () => Math.min(...(await groundOf(window, photo)));
  await expect.poll(darkest, { message: 'ground' }).toBeGreaterThan(230);
}

for (const [path, selector] of /** @type {const} */ ([
  ['/#board', '.tile.is-loaded img'],
  ['/#album', '.photo.is-loaded img'],
  ['/#show', '.show-photo.is-shown'],
  ['/latest', '.latest img'],
])) {
  test(`a transparent drawing is on light ground in the dark scheme on ${path}`, async ({ server, open }) => {
    await server.upload(drawing);
    const window = await open({ path, colorScheme: 'dark' });
    await isOnLightGround(window, window.page.locator(selector));
  });
}

test('a transparent drawing is on light ground in the lightbox and in the bin', async ({ server, open }) => {
  const { id } = await server.upload(drawing);
  const window = await open({ path: `/#image=${id}`, colorScheme: 'dark' });
  const { page } = window;
  await isOnLightGround(window, page.locator('.is-loaded .lightbox-image'));
  await page.keyboard.press('Escape');
  await server.delete(id);
  await window.shows();
  await page.locator('#show-bin').click();
  await isOnLightGround(window, page.locator('#bin img'));
});
