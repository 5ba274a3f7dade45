import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch } from './helpers/browser.js';
import { onDisk, picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const red = picture('red.png', { colour: [190, 40, 40] });
const green = picture('green.png', { colour: [30, 140, 60] });
const other = (name) => ({ ...red, name });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

const posts = (window) => window.posted.length;

/** A window that notes every upload it sends. */
async function open(options) {
  const window = await Window.open(browser, `${server.url}/`, options);
  window.posted = [];
  window.page.on('request', (request) => request.method() === 'POST' && window.posted.push(request.url()));
  return window;
}

test('a picture that the board has is pointed out and not sent; one click shows it, another adds it anyway', async () => {
  await server.upload(red, { x: 4000, y: 3000, w: 240 });
  await server.upload(green, { x: 0, y: 0, w: 240 });
  const window = await open();
  const { page } = window;
  await page.mouse.wheel(-4000, -3000);
  await window.drop(await onDisk(other('copy.png')), 400, 300);
  const card = page.locator('.upload[data-state=duplicate]');
  await card.waitFor();
  assert.match(await card.innerText(), /copy\.png\s+Already on the board as “red\.png”\./);
  const box = await window.boxOf(card);
  assert.ok(Math.abs(box.x + box.width / 2 - 400) < 2, 'it stands where it was dropped');
  await eventually(async () => assert.match(await page.locator('#say-polite').textContent(), /copy\.png: Already on the board/));
  assert.equal(posts(window), 0, 'nothing is sent');

  await card.getByRole('button', { name: 'Show it: red.png' }).click();
  await eventually(async () => {
    const { x, y, width, height } = await window.boxOf(page.locator('.tile.is-highlighted'));
    assert.ok(x >= 0 && y >= 0 && x + width <= 1280 && y + height <= 800, 'the picture is in view');
  });
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'red.png');
  await page.locator('.tile.is-highlighted').waitFor({ state: 'detached' });

  await card.getByRole('button', { name: 'Add anyway: copy.png' }).dispatchEvent('click');
  await eventually(async () => assert.equal((await server.images()).length, 3));
  await eventually(async () => assert.equal(await page.locator('.upload').count(), 0));
  assert.equal(posts(window), 1);
  await window.close();
});

test('two identical files in one drop: one comes, the other is pointed out and can be dismissed', async () => {
  const window = await open();
  await window.drop(await onDisk(red, other('twin.png'), green));
  await window.shows('red.png', 'green.png');
  const card = window.page.locator('.upload[data-state=duplicate]');
  await card.getByText('Already on the board as “red.png”.').waitFor();
  assert.equal(posts(window), 2);
  await card.getByRole('button', { name: 'Dismiss twin.png' }).click();
  assert.equal(await card.count(), 0);
  assert.equal((await server.images()).length, 2);
  await window.close();
});

test('of several that are there already all can be added or dismissed at once', async () => {
  await server.upload(red, { x: 0, y: 0 });
  await server.upload(green, { x: 400, y: 0 });
  const window = await open();
  const panel = window.page.locator('#uploads');
  await window.drop(await onDisk(red, green), 640, 400);
  await panel.getByText('2 already on the board').waitFor();
  await panel.getByRole('button', { name: 'Dismiss' }).click();
  await panel.waitFor({ state: 'hidden' });
  assert.equal(posts(window), 0);
  await window.drop(await onDisk(red, green), 640, 400);
  await panel.getByRole('button', { name: 'Add anyway' }).click();
  await window.shows('red.png', 'green.png', 'red.png', 'green.png');
  assert.equal((await server.images()).length, 4);
  await window.close();
});

test('a picture that was deleted is no duplicate, nor is one whose upload was given up', async () => {
  const { id } = await server.upload(red);
  const window = await open();
  await window.shows('red.png');
  await server.delete(id);
  await window.shows();
  await window.drop(await onDisk(red));
  await window.shows('red.png');

  await window.page.route('**/image', (route) => route.abort('connectionreset'));
  await window.drop(await onDisk(green), 300, 300);
  await window.page.locator('.upload[data-state=paused]').waitFor();
  await window.page.getByRole('button', { name: 'Cancel green.png' }).click();
  await window.page.unroute('**/image');
  await window.drop(await onDisk(green), 300, 300);
  await window.shows('red.png', 'green.png');
  await window.close([/ERR_CONNECTION_RESET/]);
});

test('if the server does not say whether it has it, the picture comes', async () => {
  const window = await open();
  await window.page.route('**/images?*', (route) => route.fulfill({ status: 503, body: 'busy' }));
  await window.drop(await onDisk(red));
  await window.shows('red.png');
  await window.close([/status of 503/]);
});

test('without crypto.subtle files are hashed in a worker, and the page stays free meanwhile', async () => {
  await server.upload(red);
  const window = await open({
    prepare: (context) => context.addInitScript(() => delete Crypto.prototype.subtle),
  });
  await window.drop(await onDisk(other('copy.png')));
  await window.page.locator('.upload[data-state=duplicate]').waitFor();
  assert.ok(window.requests.some((url) => url.endsWith('/static/js/upload/hash-worker.js')), 'the worker was asked');

  const large = randomBytes(16 << 20);
  const [path] = await onDisk({ name: 'large.bin', bytes: large });
  await window.page.evaluate(() => {
    const input = document.body.appendChild(document.createElement('input'));
    Object.assign(input, { type: 'file', id: 'hashed' });
  });
  await window.page.setInputFiles('#hashed', path);
  const { hex, longest } = await window.page.evaluate(async () => {
    const { sha256Of } = await import('/static/js/upload/hashing.js');
    let [last, longest] = [performance.now(), 0];
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    const hex = await sha256Of(document.querySelector('#hashed').files[0]);
    clearInterval(timer);
    return { hex, longest };
  });
  assert.equal(hex, createHash('sha256').update(large).digest('hex'));
  assert.ok(longest < 1_000, `the page was busy for ${longest} ms at a time`);
  await window.close();
});

test('the SHA-256 in plain JavaScript is right for every length around a block, in any pieces', async () => {
  const source = await readFile(new URL('../../static/js/upload/sha256.js', import.meta.url));
  const { Sha256 } = await import(`data:text/javascript;base64,${source.toString('base64')}`);
  const hash = (bytes) => new Sha256().update(bytes).hex();
  const ascii = (text) => new TextEncoder().encode(text);
  // FIPS 180-4's examples.
  assert.equal(hash(ascii('')), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.equal(hash(ascii('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(
    hash(ascii('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')),
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  );
  assert.equal(hash(new Uint8Array(1_000_000).fill(97)), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
  for (let length = 0; length < 200; length += 1) {
    const bytes = randomBytes(length);
    const expected = createHash('sha256').update(bytes).digest('hex');
    const pieces = new Sha256();
    for (let at = 0; at < length; ) {
      const step = 1 + Math.floor(Math.random() * 90);
      pieces.update(bytes.subarray(at, at + step));
      at += step;
    }
    assert.equal(hash(bytes), expected, `${length} bytes at once`);
    assert.equal(pieces.hex(), expected, `${length} bytes in pieces`);
  }
});
