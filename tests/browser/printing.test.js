import { expect, test } from './fixtures.js';
import { fill } from './support/fill.js';
import { image } from './support/images.js';

const images = Array.from({ length: 10 }, (_, at) => image(`${at}.png`, { width: 60, height: at % 2 ? 40 : 150, colour: [at * 20, 90, 90] }));
const COUNT = 40;

test('printing gives all photos, several on a page and none cut, without buttons', async ({ server, open }) => {
  await fill(server, images, COUNT);
  const window = await open();
  const { page } = window;
  await window.tiles().first().locator('[data-image]').press('F2');
  await page.keyboard.type('The harbour at dawn');
  await page.keyboard.press('Enter');
  await expect(page.locator('.caption-editor')).toHaveCount(0);
  await page.getByRole('button', { name: 'Actual size' }).click();
  await page.evaluate(() => addEventListener('beforeprint', () => (document.documentElement.dataset.printed = String(document.querySelectorAll('.print img').length))));
  const pdf = (await page.pdf({ format: 'A4' })).toString('latin1');
  await expect(page.locator('html')).toHaveAttribute('data-printed', String(COUNT));
  const pages = pdf.match(/\/Type \/Page\b(?!s)/g)?.length ?? 0;
  expect(pages, 'twelve photos on a page').toBeGreaterThanOrEqual(3);
  expect(pages, 'twelve photos on a page').toBeLessThanOrEqual(5);
  expect(pdf.match(/\/Subtype \/Image\b/g)?.length ?? 0, 'different photos on paper').toBeGreaterThanOrEqual(images.length);
  await expect(page.locator('.print')).toHaveCount(0);

  await page.emulateMedia({ media: 'print' });
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
  await expect(page.locator('.print li')).toHaveCount(COUNT);
  await expect(page.locator('.print img').first()).toBeVisible();
  await expect(page.locator('.print').getByText('The harbour at dawn')).toBeVisible();
  for (const button of await page.locator('button, a').all()) await expect(button).toBeHidden();
  expect(await page.locator('.print li').first().evaluate((item) => getComputedStyle(item).breakInside)).toBe('avoid');
});
