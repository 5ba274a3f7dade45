import { expect, test } from './fixtures.js';
import { image } from './support/images.js';
import { SERVER_DOWN } from './support/window.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });
const expectedErrors = SERVER_DOWN;

const offline = ({ page }) => page.locator('.upload[data-state=offline]');

/** The names of the uploads that the browser keeps, in order. */
function keptNames(page) {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('realtime-photo', 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const reading = opening.result.transaction('uploads').objectStore('uploads').getAll();
          reading.onsuccess = () => resolve(reading.result.map(({ name }) => name));
          opening.result.close();
        };
      }),
  );
}

/** Waits until the browser keeps exactly these uploads. */
async function keeps({ page }, ...names) {
  await expect.poll(() => keptNames(page), { message: 'kept uploads' }).toEqual(names);
}

/** Reloads the page while nobody answers, and again when the server is back. */
async function reloadWhenBack(window, server) {
  await window.page.goto('about:blank');
  await server.start();
  await window.page.goto(server.url);
  await window.ready();
}

test('photos that wait for the connection arrive once, in order and with their author, after the page was reloaded', async ({ server, open }) => {
  const window = await open({ expectedErrors });
  const { page } = window;
  await page.evaluate(() => localStorage.setItem('name', 'Ada'));
  await server.kill();
  await window.lost();
  await window.drop([red, green, blue]);
  await expect(offline(window)).toHaveCount(3);
  await page.getByRole('button', { name: '3 waiting for the connection' }).click();
  await expect(offline(window).first()).toContainText('Waiting for the connection');
  await keeps(window, 'red.png', 'green.png', 'blue.png');
  await page.evaluate(() => localStorage.setItem('name', 'Grace'));
  await reloadWhenBack(window, server);
  await window.shows('red.png', 'green.png', 'blue.png');
  await window.paints('green.png', green.colour);
  await expect(page.locator('#uploads')).toBeHidden();
  await keeps(window);
  const stored = (await server.images()).sort((one, other) => (one.id < other.id ? -1 : 1));
  expect(stored.map(({ fileName, author }) => [fileName, author])).toEqual([
    ['red.png', 'Ada'],
    ['green.png', 'Ada'],
    ['blue.png', 'Ada'],
  ]);
});

test('a drop point is kept, and a canceled upload is not sent after a reload', async ({ server, open }) => {
  const window = await open({ expectedErrors });
  await server.upload(blue, { x: -2000, y: -2000, w: 100 });
  await server.kill();
  await window.lost();
  await window.drop([red], 300, 200);
  await window.drop([green], 700, 500);
  await keeps(window, 'red.png', 'green.png');
  await window.page.getByRole('button', { name: '2 waiting for the connection' }).click();
  await window.page.getByRole('button', { name: 'Cancel green.png' }).click();
  await keeps(window, 'red.png');
  await reloadWhenBack(window, server);
  await expect.poll(async () => (await server.images()).map(({ fileName }) => fileName).sort()).toEqual(['blue.png', 'red.png']);
  await expect(window.page.locator('#uploads')).toBeHidden();
  await keeps(window);
  // The view begins in the middle of the board.
  const { x, y } = await server.image('red.png');
  expect([x < 0, y < 0], `placement ${[x, y]}`).toEqual([true, true]);
});

test('an upload whose answer was lost is not sent again after a reload', async ({ server, open }) => {
  const window = await open({ expectedErrors });
  const { page } = window;
  let posts = 0;
  await page.route('**/image', async (route) => {
    posts += 1;
    const [, id] = route.request().postDataBuffer().toString('latin1').match(/name="id"\r\n\r\n([0-9a-f-]+)\r\n/);
    await server.upload(red, { id });
    await server.kill();
    await route.abort('connectionreset');
  });
  await window.drop([red]);
  await expect(offline(window)).toHaveCount(1);
  await keeps(window, 'red.png');
  await reloadWhenBack(window, server);
  await window.shows('red.png');
  await keeps(window);
  await expect(page.locator('#uploads')).toBeHidden();
  expect(posts).toBe(1);
  expect(await server.images()).toHaveLength(1);
});

test('a page takes over what a closed one has left, and leaves alone what a living one has', async ({ server, open }) => {
  const window = await open({ expectedErrors });
  await window.page.routeWebSocket('**/ws*', (socket) => socket.close());
  await server.kill();
  await window.lost();
  await window.drop([red]);
  await keeps(window, 'red.png');
  await server.start();
  const other = await window.context.newPage();
  await other.goto(server.url);
  await expect(other.locator('html')).toHaveAttribute('data-feed', 'ready');
  const takeOver = () =>
    other.evaluate(async () => {
      const { KeptUploads } = await import(/** @type {any} */ ('/static/js/upload/kept.js'));
      return (await new KeptUploads().takeOver()).map(({ fileName }) => fileName);
    });
  expect(await takeOver()).toEqual([]);
  await expect(offline(window)).toHaveCount(1);
  await expect(other.locator('.upload')).toHaveCount(0);
  await window.page.close();
  expect(await takeOver()).toEqual(['red.png']);
  expect(await takeOver(), 'now it has an owner again').toEqual([]);
  await other.close();
});

test('what is being sent when the page is hidden, as on a phone that then ends it, is sent when it is opened again', async ({ server, open }) => {
  const window = await open();
  const { page } = window;
  await page.route('**/image', () => {});
  await window.drop([red]);
  await expect(page.locator('.upload[data-state=sending]')).toBeAttached();
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await keeps(window, 'red.png');
  await page.unroute('**/image');
  await page.goto('about:blank');
  await page.goto(server.url);
  await window.shows('red.png');
  await keeps(window);
  expect(await server.images()).toHaveLength(1);
});

test('a quick upload is not written to the browser', async ({ open }) => {
  const window = await open({
    prepare: (context) =>
      context.addInitScript(() => {
        const { put } = IDBObjectStore.prototype;
        globalThis.written = 0;
        IDBObjectStore.prototype.put = function (...parameters) {
          globalThis.written += 1;
          return put.apply(this, parameters);
        };
      }),
  });
  await window.drop([red]);
  await window.shows('red.png');
  await expect(window.page.locator('#uploads')).toBeHidden();
  expect(await window.page.evaluate(() => globalThis.written)).toBe(0);
});

for (const [name, block] of /** @type {const} */ ([
  ['is blocked', () => Object.defineProperty(globalThis, 'indexedDB', { get() { throw new DOMException('Denied.', 'SecurityError'); } })],
  ['fails', () => (IDBFactory.prototype.open = () => { throw new DOMException('Denied.', 'UnknownError'); })],
  ['has no space', () => (IDBObjectStore.prototype.put = () => { throw new DOMException('Full.', 'QuotaExceededError'); })],
])) {
  test(`uploads work and wait for the connection although the storage of the browser ${name}`, async ({ server, open }) => {
    const window = await open({ expectedErrors, prepare: (context) => context.addInitScript(block) });
    await window.drop([red]);
    await window.shows('red.png');
    await server.kill();
    await window.lost();
    await window.drop([green]);
    await expect(offline(window)).toHaveCount(1);
    await server.start();
    await window.shows('red.png', 'green.png');
    await expect(window.page.locator('#uploads')).toBeHidden();
    expect(await server.images()).toHaveLength(2);
  });
}
