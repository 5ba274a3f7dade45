import { expect, test } from './fixtures.js';
import { expectAccessible } from './support/accessible.js';
import { ALBUM, albumIn, changeRecords, focusedPhoto, hasPhotoFocus, hasPhotos, photoIn, photosIn } from './support/album.js';
import { eventsOf, settledBox, tabTo } from './support/board.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';
import { pixelOf } from './support/window.js';

const red = image('red.png', { colour: [190, 40, 40], width: 600, height: 400 });
const green = image('green.png', { colour: [30, 140, 60], width: 400, height: 600 });
const blue = image('blue.png', { colour: [40, 60, 190], width: 600, height: 400 });
const all = [red, green, blue];

/** A phone whose address names no view. */
const NEW_PHONE = { ...PHONE, path: '/' };

/** Uploads images one after the other; returns the ids, the newest first. */
async function upload(server, ...images) {
  const ids = [];
  for (const each of images) ids.unshift((await server.upload(each, { author: 'Ada' })).id);
  return ids;
}

const lightbox = ({ page }) => page.locator('#lightbox');
const hashOf = ({ page }) => new URL(page.url()).hash;
const zoom = ({ page }) => page.getByRole('group', { name: 'View' });

/** Waits until exactly this view is shown, and the control says so. */
async function showsView({ page }, name) {
  await expect(page.getByRole('navigation', { name: 'View' }).locator('[aria-current=page]')).toHaveText(name);
  await expect(page.getByRole('main')).toHaveCount(1);
  await expect(page.getByRole('main', { name })).toBeVisible();
}

test('the album shows the newest photo first, and follows what others add and delete', async ({ server, open }) => {
  const ids = await upload(server, red, green);
  const [one, two] = [await open(ALBUM), await open()];
  await hasPhotos(one, ids);
  await expect.poll(() => pixelOf(photoIn(one, ids[0]).locator('img'))).toEqual(green.colour);
  await two.drop([blue]);
  await two.shows('red.png', 'green.png', 'blue.png');
  const { id } = await server.image('blue.png');
  await hasPhotos(one, [id, ...ids]);
  await expect(eventsOf(one)).toHaveText(/added blue/);
  await server.delete(ids[0]);
  await hasPhotos(one, [id, ids[1]]);
  await one.page.locator('#deleted').getByRole('button', { name: 'Undo' }).click();
  await hasPhotos(one, [id, ...ids]);
  await two.shows('red.png', 'green.png', 'blue.png');
});

test('photos are added in the album as on the board, and the tools of the board are not there', async ({ server, open }) => {
  const window = await open(ALBUM);
  const { page } = window;
  await expect(page.getByRole('heading', { name: 'Drop photos here' })).toBeVisible();
  await window.drop([red]);
  await expect(photosIn(window)).toHaveCount(1);
  await window.paste(green);
  await expect(photosIn(window)).toHaveCount(2);
  await window.chooseAfter(() => page.getByRole('button', { name: 'Add photos' }).click(), [blue]);
  await expect(photosIn(window)).toHaveCount(3);
  await expect(zoom(window)).toBeHidden();
  await page.keyboard.press('Control+a');
  await expect(page.locator('#selection')).toBeHidden();
  await page.getByRole('link', { name: 'Board' }).click();
  await window.shows('red.png', 'green.png', 'blue.png');
  await expect(zoom(window)).toBeVisible();
  const records = await server.images();
  const [a, b] = records.map(({ x, y, w, width, height }) => ({ x, y, right: x + w, bottom: y + (w * height) / width }));
  expect(a.right <= b.x || b.right <= a.x || a.bottom <= b.y || b.bottom <= a.y, 'the server chose the places').toBe(true);
});

test('photos lie below the heading of their day in the time zone of the viewer', async ({ server, open }) => {
  const ids = await upload(server, ...all, image('last.png'), image('later.png'));
  // In Auckland it is 13 hours later than in UTC.
  const times = ['2026-11-27T11:30:00.000Z', '2026-11-26T11:30:00.000Z', '2026-11-26T10:30:00.000Z', '2026-11-25T10:30:00.000Z', '2025-12-31T11:30:00.000Z'];
  const window = await open({
    ...ALBUM,
    timezoneId: 'Pacific/Auckland',
    async prepare(context) {
      await context.clock.setFixedTime('2026-11-27T20:00:00.000Z');
      await changeRecords(context, ({ id }) => ({ createdAt: times[ids.indexOf(id)] }));
    },
  });
  const { page } = window;
  await hasPhotos(window, ids);
  const headings = ['Today', 'Yesterday', 'Thursday, 26 November', 'Wednesday, 25 November', 'Thursday, 1 January'];
  await expect(page.locator('.album-day h2')).toHaveText(headings);
  for (const [at, id] of ids.entries()) {
    await expect(page.getByRole('region', { name: headings[at], exact: true }).locator('.photo')).toHaveAttribute('data-id', id);
  }
  await expect(page.getByRole('region', { name: 'Today' }).getByRole('listitem')).toHaveAttribute('aria-setsize', '1');
});

test('a caption or the name of the person describes a photo, never the name of the file', async ({ server, open }) => {
  const [spoken, captioned, plain] = await upload(server, red, green, blue);
  const fields = { [spoken]: { alt: 'A red square' }, [captioned]: { caption: 'Summer' } };
  const window = await open({ ...ALBUM, prepare: (context) => changeRecords(context, ({ id }) => fields[id] ?? {}) });
  await hasPhotos(window, [spoken, captioned, plain]);
  const link = (name) => albumIn(window).getByRole('link', { name, exact: true });
  for (const name of ['A red square', 'Summer', 'Photo by Ada']) await expect(link(name)).toBeVisible();
  await expect(link('Summer').getByText('Summer')).toBeVisible();
  await expect(albumIn(window)).not.toHaveText(/\.png/);
});

test('the address names the view, and Back leads to the one before', async ({ server, open }) => {
  const [newest, middle] = await upload(server, ...all);
  const window = await open();
  const { page } = window;
  await showsView(window, 'Board');
  await page.getByRole('link', { name: 'Album' }).click();
  await showsView(window, 'Album');
  expect(hashOf(window)).toBe('#album');

  await photoIn(window, newest).click();
  await expect(lightbox(window).locator('[data-count]')).toHaveText('1 of 3');
  expect(hashOf(window)).toBe(`#image=${newest}`);
  await page.keyboard.press('ArrowRight');
  await expect(lightbox(window).locator('[data-count]')).toHaveText('2 of 3');
  expect(hashOf(window), 'the order is that of the album').toBe(`#image=${middle}`);
  await page.keyboard.press('Escape');
  await expect(lightbox(window)).toBeHidden();
  await showsView(window, 'Album');
  await expect.poll(() => hashOf(window)).toBe('#album');
  await hasPhotoFocus(window, middle);

  await page.goForward();
  await expect(lightbox(window)).toBeVisible();
  await page.reload();
  await window.ready();
  await expect(lightbox(window)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect.poll(() => hashOf(window), { message: 'also after a reload' }).toBe('#album');
  await showsView(window, 'Album');

  await page.goBack();
  await showsView(window, 'Board');
  expect(hashOf(window)).toBe('');
  await page.goForward();
  await showsView(window, 'Album');
  await page.evaluate(() => (location.hash = '#board'));
  await showsView(window, 'Board');
  await settledBox(window, 'blue.png');
});

test('a phone held sideways begins with the album as well', async ({ server, open }) => {
  await upload(server, red);
  await showsView(await open({ ...NEW_PHONE, viewport: { width: 844, height: 390 } }), 'Album');
});

test('a phone begins with the album, until the user chooses the board', async ({ server, open }) => {
  const [newest] = await upload(server, ...all);
  const window = await open(NEW_PHONE);
  const { page } = window;
  await showsView(window, 'Album');
  const { x } = await window.boxOf(photoIn(window, newest));
  expect(x, 'edge to edge').toBe(0);
  await photoIn(window, newest).tap();
  await expect(lightbox(window)).toBeVisible();
  await page.goBack();
  await expect(lightbox(window)).toBeHidden();
  await showsView(window, 'Album');
  await page.getByRole('link', { name: 'Board' }).tap();
  await showsView(window, 'Board');
  await settledBox(window, 'blue.png');
  await page.goto('about:blank');
  await page.goto(server.url);
  await window.ready();
  await showsView(window, 'Board');
  const [shared, wide] = [await open({ ...PHONE, path: `/#image=${newest}` }), await open()];
  await expect(lightbox(shared)).toBeVisible();
  await shared.page.getByRole('button', { name: 'Close', exact: true }).tap();
  await showsView(shared, 'Album');
  await showsView(wide, 'Board');
});

test('with the keyboard one reaches every photo from a single tab stop, opens, deletes and restores it', async ({ server, open }) => {
  // Two rows: four photos of 360 pixels fill the first.
  const ids = await upload(server, ...Array.from({ length: 8 }, (_, at) => image(`${at}.png`, { width: 600, height: 400, colour: [at * 30, 90, 90] })));
  const window = await open(ALBUM);
  const { page } = window;
  await hasPhotos(window, ids);
  await tabTo(window, 'Photo by Ada');
  await hasPhotoFocus(window, ids[0]);
  const boxes = await photosIn(window).evaluateAll((photos) => photos.map((photo) => photo.getBoundingClientRect().y));
  const columns = boxes.filter((y) => y === boxes[0]).length;
  expect(columns).toBeGreaterThan(1);
  const steps = { ArrowRight: 1, ArrowDown: columns + 1, ArrowUp: 1, ArrowLeft: 0, End: 7, Home: 0 };
  for (const [key, at] of Object.entries(steps)) {
    await page.keyboard.press(key);
    expect(await focusedPhoto(window), key).toBe(ids[at]);
  }
  await page.keyboard.press('Tab');
  expect(await focusedPhoto(window), 'Tab leaves the album').toBe('');
  await page.keyboard.press('Shift+Tab');
  await hasPhotoFocus(window, ids[0]);

  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(lightbox(window).locator('[data-count]')).toHaveText('2 of 8');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Escape');
  await hasPhotoFocus(window, ids[2]);
  await page.keyboard.press('Delete');
  await hasPhotos(window, ids.toSpliced(2, 1));
  await hasPhotoFocus(window, ids[3]);
  await page.keyboard.press('Control+z');
  await hasPhotos(window, ids);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  for (const [size, options] of Object.entries({ 'a wide screen': ALBUM, 'a phone': NEW_PHONE })) {
    test(`the album is accessible, empty and filled, on ${size}, in ${colorScheme}`, async ({ server, open }) => {
      const prepare = (context) => changeRecords(context, ({ fileName }) => (fileName === 'red.png' ? { caption: 'Summer' } : {}));
      const window = await open({ ...options, colorScheme, reducedMotion: 'reduce', prepare });
      await expectAccessible(window);
      const ids = await upload(server, ...all);
      await hasPhotos(window, ids);
      await expectAccessible(window);
      await photoIn(window, ids[1]).locator('a').focus();
      await expectAccessible(window);
    });
  }
}
