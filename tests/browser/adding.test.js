import { expect, test } from './fixtures.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });
const tall = image('tall.png', { colour: [30, 140, 60], width: 200, height: 320 });

/** The placeholders of what others are adding. */
const arriving = (window) => window.page.locator('.placeholder:not(.is-own)');

/** Holds uploads back until the returned function is called with what becomes of them and of all later ones. */
async function holdUploads(window) {
  const held = [];
  let handle = null;
  await window.page.route('**/image', (route) => (handle ? handle(route) : held.push(route)));
  return async (release) => {
    handle = release;
    await Promise.all(held.map(release));
  };
}

test('others see a placeholder while an image is being added, which becomes the image without a flash', async ({ open }) => {
  const [one, two] = [await open(), await open()];
  const release = await holdUploads(one);
  await one.drop([red, tall], 500, 300);
  await expect(arriving(two)).toHaveCount(2);
  const three = await open();
  await expect(arriving(three), 'a window that opens meanwhile sees them too').toHaveCount(2);
  // The arrival of the third viewer is announced on the same socket after the uploads would have been.
  await expect(one.page.getByText('3 here')).toBeVisible();
  await expect(arriving(one), 'the uploader has a preview instead').toHaveCount(0);
  await two.settled();
  const before = await two.boxOf(arriving(two).filter({ hasText: 'tall' }));
  await watchForGaps(two, before);
  await release((route) => route.continue());
  for (const window of [one, two, three]) {
    await window.shows('red.png', 'tall.png');
    await expect(window.page.locator('.placeholder, .upload')).toHaveCount(0);
  }
  await two.settled();
  const after = await two.boxOf(two.tile('tall.png'));
  for (const key of ['x', 'y', 'width', 'height']) expect(Math.abs(after[key] - before[key]), key).toBeLessThan(1);
  const { frames, gaps } = await two.page.evaluate(() => noted);
  expect(frames).toBeGreaterThan(3);
  expect(gaps, 'frames that show neither').toEqual([]);
});

/** Notes the frames in which the middle of a box shows neither a placeholder nor an image with its pixels. */
function watchForGaps({ page }, { x, y, width, height }) {
  return page.evaluate(
    ([x, y]) => {
      globalThis.noted = { frames: 0, gaps: [] };
      const elementAt = (selector) =>
        [...document.querySelectorAll(selector)].find((element) => {
          const { left, top, right, bottom } = element.getBoundingClientRect();
          return left < x && x < right && top < y && y < bottom;
        });
      activity.onEachFrame(() => {
        noted.frames += 1;
        const tile = elementAt('.tile');
        const img = tile?.querySelector('img');
        const isSeen = tile && img.complete && img.naturalWidth > 0 && getComputedStyle(tile).opacity === '1';
        if (!elementAt('.placeholder') && !isSeen) noted.gaps.push([noted.frames, tile?.outerHTML ?? 'no tile']);
      });
    },
    [x + width / 2, y + height / 2],
  );
}

test('a placeholder disappears when its upload is refused or canceled, or its window closed', async ({ open }) => {
  const two = await open();
  const refused = await open({ expectedErrors: [/status of 415/] });
  await refused.page.route('**/image', (route) => route.fulfill({ status: 415, contentType: 'application/problem+json', body: '{"detail": "No."}' }));
  await refused.drop([red]);
  await expect(refused.page.locator('.upload[data-state=failed]')).toBeVisible();
  await expect(refused.page.locator('.placeholder')).toHaveCount(0);
  await expect(arriving(two)).toHaveCount(0);

  const canceled = await open();
  const release = await holdUploads(canceled);
  await canceled.drop([red], 400, 300);
  await expect(arriving(two).getByText('red', { exact: true })).toBeVisible();
  await canceled.page.getByRole('button', { name: 'Adding 1 of 1' }).click();
  await canceled.page.getByRole('button', { name: 'Cancel red.png' }).click();
  await expect(arriving(two)).toHaveCount(0);

  await canceled.drop([tall], 400, 300);
  await expect(arriving(two).getByText('tall', { exact: true })).toBeVisible();
  await expect(two.page.locator('html')).toHaveAttribute('data-state', 'filled');
  await canceled.close();
  await expect(arriving(two)).toHaveCount(0);
  await expect(two.page.getByRole('heading', { name: 'Drop photos here' })).toBeVisible();
  await release((route) => route.abort().catch(() => {}));
});

test('the picker accepts every photo, also of formats that the page converts', async ({ open }) => {
  const window = await open();
  const accepted = await window.page.locator('input[type=file]').evaluateAll((inputs) =>
    inputs.map((input) => /** @type {HTMLInputElement} */ (input).accept),
  );
  expect(accepted).toEqual(['image/*,.heic,.heif,.jxl', 'image/jpeg']);
});

test('a phone has a button for its camera, a desktop has none', async ({ open }) => {
  const desktop = await open();
  await expect(desktop.page.getByRole('button', { name: 'Choose photos' })).toBeVisible();
  await expect(desktop.page.getByRole('button', { name: 'Take a photo' })).toHaveCount(0);
  await desktop.close();
  const phone = await open(PHONE);
  await expect(phone.page.locator('#photograph-input')).toHaveAttribute('capture', 'environment');
  for (const [part, file] of /** @type {const} */ ([['.welcome', red], ['.tools', tall]])) {
    const button = phone.page.locator(part).getByRole('button', { name: 'Take a photo' });
    await expect(button).toBeVisible();
    const { width, height } = await phone.boxOf(button);
    expect(Math.min(width, height), 'large enough for a finger').toBeGreaterThanOrEqual(40);
    await phone.chooseAfter(() => button.tap(), [file]);
    await expect(phone.tile(file.name)).toBeVisible();
  }
});

test('pasted text is left to the browser', async ({ server, open }) => {
  const window = await open();
  const prevented = await window.page.evaluate(() => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', 'hello');
    return !document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  });
  expect(prevented).toBe(false);
  // An image pasted later is handled after the text would have been.
  expect(await window.paste(red)).toBe(true);
  await window.shows('red.png');
  await expect(window.page.locator('.upload, #notices p')).toHaveCount(0);
  expect(await server.images()).toHaveLength(1);
});
