import { expect, test } from './fixtures.js';
import { image } from './support/images.js';

const shapes = [[60, 900], [320, 200], [40, 1200], [900, 60], [300, 300], [200, 320], [50, 600], [320, 200]];

test('no photo covers another, however tall or wide', async ({ server, open }) => {
  for (const [at, [width, height]] of shapes.entries()) await server.upload(image(`${at}.png`, { width, height, colour: [at * 20, 90, 90] }));
  const window = await open();
  await expect(window.page.locator('.tile.is-loaded')).toHaveCount(shapes.length);
  await window.settled();
  const boxes = await window.tiles().locator('[data-image]').evaluateAll((all) => all.map((each) => each.getBoundingClientRect().toJSON()));
  for (const a of boxes) {
    for (const b of boxes) {
      const overlap = a !== b && a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;
      expect(overlap, JSON.stringify([a, b])).toBe(false);
    }
  }
});
