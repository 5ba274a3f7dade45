import { expect, test } from './fixtures.js';
import { announces, hasFocus, settledBox } from './support/board.js';
import { image } from './support/images.js';
import { PHONE, Touch } from './support/touch.js';
import { eventually } from './support/window.js';

const red = image('IMG_4201.png', { colour: [190, 40, 40], width: 1200, height: 900 });
const AT = { x: -150, y: -120, w: 300 };

const caption = (window) => window.tile(red.name).locator('[data-name]');
const editor = ({ page }) => page.locator('.caption-editor').getByLabel('Caption');
const field = ({ page }) => page.locator('#lightbox').getByLabel('Caption');

test('names that a camera, a phone or a program has made up are not shown', async ({ open }) => {
  const window = await open();
  const shown = (/** @type {string[]} */ fileNames) =>
    window.page.evaluate(async (fileNames) => {
      const { shownName } = await import(/** @type {any} */ ('/static/js/ui/text.js'));
      return fileNames.map((fileName) => shownName({ fileName })).filter(Boolean);
    }, fileNames);
  const madeUp = [
    'IMG_4201.jpeg', 'IMG_E4201.HEIC', 'IMG_4201-edited.jpg', 'IMG_4201 copy.jpg', 'DSC01234.JPG', '_DSC0012.jpg', 'P1010101.JPG',
    'PXL_20230401_120000123.jpg', 'PXL_20230401_120000123.PORTRAIT.jpg', '20230401_120000.jpg', '1.png', 'image.png', 'image (3).png',
    'Screenshot 2023-04-01 at 12.00.00 PM.png', 'Screenshot_20230401-120000_Chrome.jpg', 'photo_2023-01-02_12-33-44.jpg',
    'WhatsApp Image 2023-04-01 at 12.00.00.jpeg', 'IMG-20230401-WA0001.jpg', 'FB_IMG_16800000.jpg', '327_123456_8910_n.jpg',
    '8a6e0804-2bd0-4672-b79d-d97027f9071a.jpg', '5f4dcc3b5aa765d61d8327deb882cf99.png', 'unnamed.jpg', 'download (2).jpeg',
  ];
  expect(await shown(madeUp)).toEqual([]);
  const given = ['red', 'Sunset over Berlin', 'Portrait', 'Image of my cat', '20230401 Birthday', 'Äpfel', '日本の海', 'photo booth', 'Team 2024', '🦊'];
  expect(await shown(given.map((name) => `${name}.png`))).toEqual(given);
  const named = await window.page.evaluate(async () => {
    const { nameOf, shownName } = await import(/** @type {any} */ ('/static/js/ui/text.js'));
    const long = { fileName: 'IMG_1.jpg', caption: 'word '.repeat(50).trim() };
    return [shownName(long) === long.caption, nameOf(long).length, nameOf({ fileName: 'IMG_1.jpg' }), nameOf({ fileName: 'IMG_1.jpg' }, 'A photo')];
  });
  expect(named).toEqual([true, 60, 'a photo', 'A photo']);
});

test('a caption is written below the photo and shown to everybody at once; undo and redo follow', async ({ server, open }) => {
  await server.upload(red, AT);
  const [one, two] = [await open(), await open()];
  const { page } = one;
  await two.shows(red.name);
  await expect(caption(one), 'a camera name').toHaveText('');
  await expect(page.getByRole('application', { name: 'Photo' })).toBeVisible();
  await one.tile(red.name).hover();
  await caption(one).dblclick();
  await expect(page.locator('#lightbox'), 'the caption opens no lightbox').toBeHidden();
  await expect(editor(one)).toBeFocused();
  await page.keyboard.type('  The harbour at   dawn ');
  await page.keyboard.press('Enter');
  await expect(editor(one)).toHaveCount(0);
  await hasFocus(one, 'The harbour at dawn');
  for (const window of [one, two]) {
    await expect(caption(window)).toHaveText('The harbour at dawn');
    await expect(caption(window)).toBeVisible();
  }
  expect((await server.image(red.name)).caption).toBe('The harbour at dawn');

  await page.keyboard.press('Control+z');
  await announces(one, /Caption restored/);
  for (const window of [one, two]) await expect(caption(window)).toHaveText('');
  await page.keyboard.press('Control+Shift+z');
  await page.keyboard.press('Control+z'); // Although that is still being redone.
  await announces(one, /Caption restored/);
  for (const window of [one, two]) await expect(caption(window)).toHaveText('');
  await page.keyboard.press('Control+Shift+z');
  for (const window of [one, two]) await expect(caption(window)).toHaveText('The harbour at dawn');

  await page.keyboard.press('F2');
  await expect(editor(one)).toHaveValue('The harbour at dawn');
  await page.keyboard.type('Delete this ← text');
  await page.keyboard.press('Delete');
  await page.keyboard.press('Escape');
  await expect(editor(one)).toHaveCount(0);
  await one.shows(red.name);
  await expect(caption(one), 'Escape keeps the old one').toHaveText('The harbour at dawn');
  await page.keyboard.press('F2');
  await page.keyboard.press('Delete');
  await page.keyboard.press('Enter');
  for (const window of [one, two]) await expect(caption(window), 'an empty text removes it').toHaveText('');
  expect((await server.image(red.name)).caption).toBeUndefined();
});

test('in the lightbox a caption is the title, its length is limited, and the description is apart', async ({ server, open }) => {
  const { id } = await server.upload(red, { ...AT, alt: 'Boats in fog' });
  const [one, two] = [await open({ path: `/#image=${id}`, slowMessages: true }), await open({ path: `/#image=${id}` })];
  const { page } = one;
  await expect(page.locator('#lightbox-name')).toHaveText('Photo');
  await expect(page.locator('[data-file]')).toHaveText(red.name);
  await page.locator('[data-stage]').first().focus();
  await page.keyboard.press('F2');
  await expect(field(one)).toBeFocused();
  await field(one).fill('x'.repeat(250));
  await expect(page.getByText('30 characters left')).toBeVisible();
  await page.keyboard.type('y'.repeat(40));
  await expect(page.getByText('0 characters left')).toBeVisible();
  expect((await field(one).inputValue()).length).toBe(280);
  await field(one).fill('The harbour');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Saved.')).toBeVisible();
  for (const window of [one, two]) {
    await expect(window.page.locator('#lightbox-name')).toHaveText('The harbour');
    await expect(field(window)).toHaveValue('The harbour');
    await expect(window.page.getByLabel('Description')).toHaveValue('Boats in fog');
    await expect(window.page.locator('#lightbox [data-image]')).toHaveAttribute('alt', 'The harbour. Boats in fog');
  }
});

test('a caption that is being edited is kept when somebody else changes it, and the last to save wins', async ({ server, open }) => {
  const { id } = await server.upload(red, AT);
  const [one, two] = [await open(), await open({ path: `/#image=${id}` })];
  await one.tile(red.name).locator('[data-image]').focus();
  await one.page.keyboard.press('F2');
  await one.page.keyboard.type('Mine');
  await field(two).fill('Theirs');
  await two.page.keyboard.press('Enter');
  await expect(one.page.getByText('Changed by someone else. Saving replaces it.')).toBeVisible();
  await expect(editor(one)).toHaveValue('Mine');
  await field(two).fill('Theirs, again');
  await one.page.keyboard.press('Enter');
  await expect(two.page.getByText('Changed by someone else. Saving replaces it.')).toBeVisible();
  await expect(field(two)).toHaveValue('Theirs, again');
  await eventually(async () => expect((await server.image(red.name)).caption).toBe('Mine'));
  await two.page.keyboard.press('Enter');
  await expect(caption(one)).toHaveText('Theirs, again');
});

test('a long caption has two lines below the photo, one when zoomed out, and none from far away', async ({ server, open }) => {
  const { id } = await server.upload(red, AT);
  const window = await open({ path: `/#image=${id}` });
  const { page } = window;
  await field(window).fill('A long evening at the harbour, with boats, gulls and a dog. '.repeat(4).trim());
  await page.keyboard.press('Enter');
  await expect(page.locator('#lightbox-name')).toContainText('gulls');
  await page.keyboard.press('Escape');
  await page.mouse.move(5, 400);
  await page.locator('#surface').focus();
  const lines = async () => {
    await window.settled();
    return window.tile(red.name).locator('.name').evaluate((name) => {
      const height = /** @type {HTMLElement} */ (name).offsetHeight;
      return Math.round(height / parseFloat(getComputedStyle(name).lineHeight));
    });
  };
  await page.keyboard.press('0');
  await expect.poll(lines).toBe(2);
  const { y, height } = await settledBox(window, red.name);
  const name = await window.boxOf(window.tile(red.name).locator('.name'));
  expect(name.y + name.height, 'it fits between two rows').toBeLessThan(y + height + 40);
  const zoomOut = async () => {
    await page.keyboard.press('-');
    return lines();
  };
  expect(await zoomOut()).toBe(1);
  await expect.poll(zoomOut).toBe(0);
});

test('on a phone a caption is written in the lightbox', async ({ server, open }) => {
  await server.upload(red, { x: -150, y: -120, w: 300 });
  const window = await open(PHONE);
  const touch = await Touch.on(window);
  const { x, y, width, height } = await settledBox(window, red.name);
  await touch.tap([x + width / 2, y + height / 2]);
  await window.page.getByRole('button', { name: 'Details' }).tap();
  await field(window).fill('At the lake');
  await window.page.keyboard.press('Enter');
  await expect(window.page.locator('#lightbox-name')).toHaveText('At the lake');
  await window.page.getByRole('button', { name: 'Close' }).tap();
  await expect(caption(window)).toHaveText('At the lake');
});

test('a caption that is being written when its photo is deleted is not lost in silence, and its keys reach no other photo', async ({ server, open }) => {
  await server.upload(red, AT);
  await server.upload(image('other.png', { colour: [30, 140, 60] }), { x: 250, y: -120, w: 200 });
  const window = await open({ slowMessages: true });
  const { page } = window;
  await window.tile('other.png').locator('[data-image]').press('Space');
  await expect(window.tile('other.png')).toHaveClass(/is-selected/);
  await window.tile(red.name).locator('[data-image]').press('F2');
  await expect(editor(window)).toBeFocused();
  await page.keyboard.type('The harb');
  await server.delete((await server.image(red.name)).id);
  await expect(page.getByText('The photo was deleted before its caption was saved: “The harb”')).toBeVisible();
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Enter');
  await server.upload(image('later.png', { colour: [40, 60, 190] }), { x: 0, y: 200, w: 200 });
  await window.shows('later.png', 'other.png');
  await expect(page.locator('#lightbox')).toBeHidden();
});
