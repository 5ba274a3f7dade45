import { expect, test } from './fixtures.js';
import { expectAccessible } from './support/accessible.js';
import { stopClock } from './support/clock.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });
const pink = image('pink.png', { colour: [220, 90, 160] });
const gold = image('gold.png', { colour: [200, 160, 40] });

/** As in show.js. */
const INTERVAL_MS = 6_000;
const CONTROLS_MS = 3_000;

const show = ({ page }) => page.locator('#show');
const photo = ({ page }) => page.locator('.show-photo.is-shown');
const words = ({ page }) => page.locator('.show-words');
const controls = ({ page }) => page.locator('.show-controls');

/** Messages that windows have received, by page. @type {WeakMap<import('@playwright/test').Page, string[]>} */
const received = new WeakMap();

/** Installs a clock that can be stopped, and notes the messages of the socket. */
async function prepare(context) {
  await context.clock.install();
  context.on('page', (page) => {
    const messages = [];
    received.set(page, messages);
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => messages.push(String(payload))));
  });
}

/** Waits until a window whose clock stands still has received a change of an image, given by its id or file name. */
async function receives({ page }, event, image) {
  const isReceived = () => received.get(page).some((text) => text.includes(event) && text.includes(image));
  await expect.poll(isReceived, { message: `${event} of ${image}` }).toBe(true);
  await page.evaluate(() => {});
}

/** Opens the show in a window whose clock stands still. */
async function openShow(open, options = {}) {
  const window = await open({ reducedMotion: 'reduce', prepare, ...options });
  await stopClock(window);
  await window.page.evaluate(() => void (location.hash = '#show'));
  await expect(show(window)).toBeVisible();
  return window;
}

/** Waits until exactly this photo is shown, with its pixels. */
async function shows(window, { name }) {
  await expect(photo(window)).toHaveCount(1);
  await expect(photo(window)).toHaveAttribute('alt', name.replace('.png', ''));
  await expect(photo(window)).toHaveCSS('opacity', '1');
  expect(await photo(window).evaluate((/** @type {HTMLImageElement} */ { naturalWidth }) => naturalWidth)).toBeGreaterThan(0);
}

/** Lets the time of one photo pass. */
function turn({ page }) {
  return page.clock.runFor(INTERVAL_MS);
}

async function turnTo(window, next) {
  await turn(window);
  await shows(window, next);
}

/** True if the show is on top at this point. */
function isShowAt({ page }, x, y) {
  return page.evaluate(([x, y]) => document.elementFromPoint(x, y).closest('#show') !== null, [x, y]);
}

test('the show goes from the newest photo to the oldest and begins again, without anything of the board', async ({ server, open }) => {
  for (const each of [red, green, blue]) await server.upload(each, { author: 'Ada' });
  const window = await openShow(open);
  await shows(window, blue);
  for (const next of [green, red, blue, green]) await turnTo(window, next);
  const { width, height } = window.page.viewportSize();
  for (const [x, y] of [[30, 30], [width - 60, 30], [width / 2, height - 40], [width - 60, height - 40]]) {
    expect(await isShowAt(window, x, y), `the show covers ${x}, ${y}`).toBe(true);
  }
  expect(window.hasRequested(`/image/${(await server.image('red.png')).id}`), 'the full image').toBe(true);
});

test('photos that others add come next, first in, first out, and then the round goes on', async ({ server, open }) => {
  for (const each of [red, green, blue]) await server.upload(each);
  const window = await openShow(open);
  await shows(window, blue);
  const guest = await open();
  await guest.drop([pink], 200, 700);
  await receives(window, 'Image:update', 'pink.png');
  await guest.drop([gold], 900, 700);
  await receives(window, 'Image:update', 'gold.png');
  for (const next of [pink, gold, green, red, gold, pink, blue]) await turnTo(window, next);
});

test('a photo that is added after the next one has been loaded still comes first', async ({ server, open }) => {
  for (const each of [red, green]) await server.upload(each);
  const window = await openShow(open);
  await shows(window, green);
  await window.page.clock.runFor(INTERVAL_MS / 2);
  await server.upload(blue);
  await receives(window, 'Image:update', 'blue.png');
  await window.page.clock.runFor(INTERVAL_MS / 2);
  await shows(window, blue);
  await turnTo(window, red);
});

test('a deleted photo disappears at once, and the next one follows; with the last, the show is empty until one is added', async ({ server, open }) => {
  const ids = {};
  for (const each of [red, green, blue]) ids[each.name] = (await server.upload(each)).id;
  const window = await openShow(open);
  await shows(window, blue);
  await server.delete(ids['blue.png']);
  await shows(window, green);
  await window.page.clock.runFor(INTERVAL_MS / 2);
  await server.delete(ids['red.png']);
  await receives(window, 'Image:delete', ids['red.png']);
  await turn(window);
  await shows(window, green);
  await server.delete(ids['green.png']);
  await expect(photo(window)).toHaveCount(0);
  await expect(show(window).getByText('No photos yet.')).toBeVisible();
  await server.upload(gold);
  await shows(window, gold);
  await expect(show(window).getByText('No photos yet.')).toBeHidden();
});

test('the name of who added a photo is shown with it, and no file name', async ({ server, open }) => {
  await server.upload(red, { author: 'Ada' });
  await server.upload(green);
  const window = await openShow(open);
  await shows(window, green);
  await expect(words(window)).toBeHidden();
  await turnTo(window, red);
  await expect(words(window).getByText('Added by Ada', { exact: true })).toBeVisible();
  await expect(show(window).getByText('red.png')).toHaveCount(0);
});

test('a caption appears with the photo, and changes while it is shown', async ({ server, open }) => {
  const { id } = await server.upload(red, { author: 'Ada' });
  const guest = await open();
  await setCaption(guest, id, 'The first dance');
  const window = await openShow(open);
  await shows(window, { name: 'The first dance' });
  await expect(words(window)).toHaveText(/^\s*The first dance\s*Added by Ada\s*$/);
  await setCaption(guest, id, 'The second dance');
  await expect(words(window).getByText('The second dance', { exact: true })).toBeVisible();
  await setCaption(guest, id, '');
  await expect(words(window)).toHaveText(/^\s*Added by Ada\s*$/);
});

/** Sends the command of a caption, and waits for its acknowledgement. */
function setCaption({ page }, id, caption) {
  return page.evaluate(
    (data) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://${location.host}/ws`);
        socket.onopen = () => socket.send(JSON.stringify({ event: 'Image:update', data, ref: 1 }));
        socket.onmessage = (message) => {
          const { event, data } = JSON.parse(message.data);
          if (event !== 'Ack') return;
          socket.close();
          if (data.ok) resolve(null);
          else reject(new Error(data.message));
        };
      }),
    { id, caption },
  );
}

test('keys and remote controls go on, go back, pause and leave', async ({ server, open }) => {
  for (const each of [red, green, blue]) await server.upload(each);
  const window = await openShow(open);
  const { keyboard } = window.page;
  await shows(window, blue);
  await keyboard.press('ArrowRight');
  await shows(window, green);
  await keyboard.press('PageDown');
  await shows(window, red);
  await keyboard.press('ArrowLeft');
  await shows(window, green);
  await keyboard.press('ArrowLeft');
  await shows(window, blue);
  await keyboard.press('ArrowLeft');
  await shows(window, red);
  for (const next of [blue, green, red, blue]) await turnTo(window, next);

  await keyboard.press('Space');
  await expect(show(window).getByText('Paused', { exact: true })).toBeVisible();
  await turn(window);
  await turn(window);
  await shows(window, blue);
  await keyboard.press('ArrowRight');
  await shows(window, green);
  await turn(window);
  await shows(window, green);
  await pressMedia(window, 'MediaPlayPause');
  await expect(show(window).getByText('Paused', { exact: true })).toBeHidden();
  await turnTo(window, red);

  for (const key of ['Escape', 'Backspace']) {
    await keyboard.press(key);
    await expect(show(window)).toBeHidden();
    await expect.poll(() => new URL(window.page.url()).hash).toBe('#board');
    await window.page.evaluate(() => void (location.hash = '#show'));
    await shows(window, blue);
  }
  await window.page.goBack();
  await expect(show(window)).toBeHidden();
});

/** Presses a key that keyboards of Playwright lack. */
function pressMedia({ page }, key) {
  return page.evaluate((key) => {
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  }, key);
}

test('controls appear when the pointer moves or a key is pressed, work, and fade', async ({ server, open }) => {
  for (const each of [red, green, blue]) await server.upload(each);
  const window = await openShow(open);
  const { page } = window;
  const bar = controls(window);
  await shows(window, blue);
  await expect(bar).toHaveCSS('opacity', '1');
  const fades = async () => {
    await page.clock.runFor(CONTROLS_MS);
    await expect(bar).toHaveCSS('opacity', '0');
  };
  await fades();
  await page.mouse.move(300, 300);
  await page.mouse.move(320, 310);
  await expect(bar).toHaveCSS('opacity', '1');
  await bar.getByRole('button', { name: 'Pause' }).click();
  await bar.getByRole('button', { name: 'Next photo' }).click();
  await shows(window, green);
  await bar.getByRole('button', { name: 'Previous photo' }).click();
  await shows(window, blue);
  await page.keyboard.press('Space');
  await expect(bar.getByRole('button', { name: 'Pause' }), 'Space is no second click').toBeVisible();
  await page.keyboard.press('Space');
  await fades();
  await page.keyboard.press('Enter');
  await expect(bar).toHaveCSS('opacity', '1');
  await shows(window, blue);
  await bar.getByRole('button', { name: 'Full screen' }).click();
  await expect.poll(() => page.evaluate(() => document.fullscreenElement !== null)).toBe(true);
  await page.keyboard.press('f');
  await expect.poll(() => page.evaluate(() => document.fullscreenElement !== null)).toBe(false);
  await bar.getByRole('button', { name: 'Close' }).click();
  await expect(show(window)).toBeHidden();
  await expect(page.getByRole('button', { name: 'Add photos' })).toBeVisible();
});

test('screen readers hear the photos that the user goes to, and no others', async ({ server, open }) => {
  for (const each of [red, green, blue]) await server.upload(each, { author: 'Ada' });
  const window = await openShow(open);
  const status = show(window).getByRole('status');
  await shows(window, blue);
  await turnTo(window, green);
  await expect(status).toHaveText('');
  await window.page.keyboard.press('ArrowRight');
  await expect(status).toHaveText('red. Added by Ada');
  await turnTo(window, blue);
  await expect(status).toHaveText('red. Added by Ada');
});

test('a photo that fails to load is skipped', async ({ server, open }) => {
  await server.upload(red);
  const broken = await server.upload(green);
  await server.upload(blue);
  const window = await openShow(open, { expectedErrors: [/ERR_FAILED/] });
  await shows(window, blue);
  await window.page.route(`**/image/${broken.id}`, (route) => route.abort());
  await turnTo(window, red);
  await turnTo(window, blue);
  await window.page.keyboard.press('ArrowLeft');
  await shows(window, red);
});

test('a show that has run for long has no more elements and listeners than at its start', async ({ server, open }) => {
  for (const each of [red, green, blue, pink, gold]) await server.upload(each, { author: 'Ada' });
  const window = await openShow(open);
  const session = await window.context.newCDPSession(window.page);
  const counters = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
    return { nodes, jsEventListeners };
  };
  const round = async () => {
    for (const next of [pink, blue, green, red, gold]) await turnTo(window, next);
  };
  await shows(window, gold);
  await round();
  const before = await counters();
  for (let rounds = 0; rounds < 6; rounds += 1) await round();
  await expect.poll(async () => (await counters()).nodes, { message: 'nodes' }).toBeLessThanOrEqual(before.nodes);
  expect((await counters()).jsEventListeners, 'listeners').toBeLessThanOrEqual(before.jsEventListeners);
});

test('the show survives a restart of the server, and shows what was added meanwhile', async ({ server, open }) => {
  await server.upload(red);
  const window = await open({ path: '/#show', reducedMotion: 'reduce', expectedErrors: [/./] });
  await shows(window, red);
  await server.kill();
  await window.lost();
  await shows(window, red);
  await server.start();
  await server.upload(green);
  await window.ready();
  await shows(window, green);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`the show is accessible, empty and filled, in ${colorScheme}`, async ({ server, open }) => {
    for (const options of [{}, PHONE]) {
      const window = await open({ ...options, path: '/#show', colorScheme, reducedMotion: 'reduce' });
      await expect(show(window).getByText('No photos yet.')).toBeVisible();
      await expectAccessible(window);
      const { id } = await server.upload(red, { author: 'Ada' });
      await shows(window, red);
      await window.page.keyboard.press('Space');
      await expectAccessible(window);
      await server.delete(id);
      await window.close();
    }
  });
}
