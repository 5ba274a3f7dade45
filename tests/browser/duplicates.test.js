import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from './fixtures.js';
import { announces, hasFocus } from './support/board.js';
import { image, writeFiles } from './support/images.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const copyOfRed = (name) => ({ ...red, name });

/** Notes every upload that the window sends from now on. */
function notePosts({ page }) {
  const posts = [];
  page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
  return posts;
}

/** Notes the names of the images that are highlighted from now on, each for a moment. */
function noteHighlights({ page }) {
  return page.evaluate(() => {
    globalThis.noted = [];
    const names = () => [...document.querySelectorAll('.tile.is-highlighted [data-name]')].map((name) => name.getAttribute('title'));
    const observer = new MutationObserver(() => noted.push(...names()));
    observer.observe(document.querySelector('#surface'), { subtree: true, attributeFilter: ['class'] });
  });
}

test('a duplicate is pointed out and not sent; one click shows the original, another adds it anyway', async ({ server, open }) => {
  await server.upload(red, { x: 4000, y: 3000, w: 240 });
  await server.upload(green, { x: 0, y: 0, w: 240 });
  const window = await open();
  const { page } = window;
  const posts = notePosts(window);
  await page.mouse.wheel(-4000, -3000);
  await window.drop([copyOfRed('copy.png')], 400, 300);
  const card = page.locator('.upload[data-state=duplicate]');
  await expect(card).toHaveText(/copy\.png\s+Already on the board as “red\.png”\./);
  await announces(window, /copy\.png: Already on the board/);

  await noteHighlights(window);
  await card.getByRole('button', { name: 'Show it: red.png' }).click();
  await expect.poll(() => page.evaluate(() => noted)).toContain('red.png');
  await expect(window.tile('red.png')).toBeInViewport({ ratio: 1 });
  await hasFocus(window, 'red');
  await expect(page.locator('.tile.is-highlighted')).toHaveCount(0);

  expect(posts, 'nothing has been sent').toHaveLength(0);
  await card.getByRole('button', { name: 'Add anyway: copy.png' }).dispatchEvent('click');
  await expect.poll(() => server.images()).toHaveLength(3);
  await expect(page.locator('.upload')).toHaveCount(0);
  expect(posts).toHaveLength(1);
});

test('of two identical files in one drop one is added, and the other is pointed out and can be dismissed', async ({ server, open }) => {
  const window = await open();
  const posts = notePosts(window);
  await window.drop([red, copyOfRed('twin.png'), green]);
  await window.shows('red.png', 'green.png');
  const card = window.page.locator('.upload[data-state=duplicate]');
  await expect(card.getByText('Already on the board as “red.png”.')).toBeVisible();
  await card.getByRole('button', { name: 'Dismiss twin.png' }).click();
  await expect(window.page.locator('.upload')).toHaveCount(0);
  expect(posts).toHaveLength(2);
  expect(await server.images()).toHaveLength(2);
});

test('several duplicates can be added or dismissed at once', async ({ server, open }) => {
  await server.upload(red, { x: 0, y: 0 });
  await server.upload(green, { x: 400, y: 0 });
  const window = await open();
  const posts = notePosts(window);
  const panel = window.page.locator('#uploads');
  await window.drop([red, green], 640, 400);
  await expect(panel.getByText('2 already on the board')).toBeVisible();
  await panel.getByRole('button', { name: 'Dismiss all' }).click();
  await expect(panel).toBeHidden();
  expect(posts).toHaveLength(0);
  await window.drop([red, green], 640, 400);
  await expect(panel.getByText('2 already on the board')).toBeVisible();
  await panel.getByRole('button', { name: 'Add 2 anyway' }).click();
  await window.shows('red.png', 'green.png', 'red.png', 'green.png');
  expect(await server.images()).toHaveLength(4);
});

test('neither a deleted image nor one whose upload was canceled counts as a duplicate', async ({ server, open }) => {
  const { id } = await server.upload(red);
  const window = await open({ expectedErrors: [/ERR_CONNECTION_RESET/] });
  await window.shows('red.png');
  await server.delete(id);
  await window.shows();
  await window.drop([red]);
  await window.shows('red.png');

  await window.page.route('**/image', (route) => route.abort('connectionreset'));
  await window.drop([green], 300, 300);
  await expect(window.page.locator('.upload[data-state=paused]')).toBeAttached();
  await window.page.getByRole('button', { name: 'Adding 1 of 1' }).click();
  await window.page.getByRole('button', { name: 'Cancel green.png' }).click();
  await window.page.unroute('**/image');
  await window.drop([green], 300, 300);
  await window.shows('red.png', 'green.png');
});

test('an image is added if the server cannot say whether it is a duplicate', async ({ open }) => {
  const window = await open({ expectedErrors: [/status of 503/] });
  await window.page.route('**/images?*', (route) => route.fulfill({ status: 503, body: 'busy' }));
  await window.drop([red]);
  await window.shows('red.png');
});

test('without crypto.subtle files are hashed in a worker, which leaves the page responsive', async ({ server, open }) => {
  await server.upload(red);
  const window = await open({
    prepare: (context) => context.addInitScript(() => Reflect.deleteProperty(Crypto.prototype, 'subtle')),
  });
  await window.drop([copyOfRed('copy.png')]);
  await expect(window.page.locator('.upload[data-state=duplicate]')).toBeVisible();
  expect(window.requests.filter((url) => url.endsWith('/hash-worker.js')), 'the worker is loaded').not.toEqual([]);

  // Processor time of the page's thread, in ms: other processes do not lengthen it.
  const session = await window.context.newCDPSession(window.page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const processorTime = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1_000 * metrics.find(({ name }) => name === 'ThreadTime').value;
  };

  const large = randomBytes(16 << 20);
  await window.page.evaluate(() => {
    const input = document.body.appendChild(document.createElement('input'));
    Object.assign(input, { type: 'file', id: 'hashed' });
  });
  await window.page.setInputFiles('#hashed', await writeFiles({ name: 'large.bin', bytes: large }));
  const before = await processorTime();
  const { hex, turns } = await window.page.evaluate(async () => {
    const { sha256Of } = await import(/** @type {any} */ ('/static/js/upload/hashing.js'));
    const [file] = /** @type {HTMLInputElement} */ (document.querySelector('#hashed')).files;
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 5);
    const hex = await sha256Of(file);
    clearInterval(timer);
    return { hex, turns };
  });
  expect(hex).toBe(createHash('sha256').update(large).digest('hex'));
  // Hashing on the page would block its timers until the end.
  expect(turns, 'the page runs its timers meanwhile').toBeGreaterThan(3);
  expect((await processorTime()) - before, 'the time in ms that the page was busy in all').toBeLessThan(1_000);
});

test('the SHA-256 in plain JavaScript is right for every length around a block, in any pieces', async () => {
  const source = await readFile(new URL('../../static/js/upload/sha256.js', import.meta.url));
  const { Sha256 } = await import(`data:text/javascript;base64,${source.toString('base64')}`);
  const hash = (bytes) => new Sha256().update(bytes).hex();
  const ascii = (text) => new TextEncoder().encode(text);
  // The examples of FIPS 180-4.
  expect(hash(ascii(''))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(hash(ascii('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(hash(ascii('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'))).toBe(
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  );
  expect(hash(new Uint8Array(1_000_000).fill(97))).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
  for (let length = 0; length < 200; length += 1) {
    const bytes = randomBytes(length);
    const expected = createHash('sha256').update(bytes).digest('hex');
    const pieces = new Sha256();
    for (let at = 0; at < length; ) {
      const step = 1 + Math.floor(Math.random() * 90);
      pieces.update(bytes.subarray(at, at + step));
      at += step;
    }
    expect(hash(bytes), `${length} bytes at once`).toBe(expected);
    expect(pieces.hex(), `${length} bytes in pieces`).toBe(expected);
  }
});
