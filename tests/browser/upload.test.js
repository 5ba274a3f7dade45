import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch } from './helpers/browser.js';
import { onDisk, picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const REFUSED = /Failed to load resource: the server responded with a status of 4\d\d/;
const red = picture('red.png', { colour: [190, 40, 40] });
const text = { name: 'notes.png', bytes: 'This is not a picture.' };

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

test('a text file called .png says why it is refused, by name, where it was dropped', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  await window.drop(await onDisk(text), 300, 250);
  const card = window.page.locator('.upload[data-state=failed]');
  await card.waitFor();
  assert.match(await card.innerText(), /notes\.png/);
  assert.match(await card.innerText(), /PNG|image|picture/i);
  assert.match(await card.locator('[data-words]').innerText(), /^[A-Z].{10,}[.!]$/s, 'the reason is a sentence');
  const { x, y } = await window.boxOf(card);
  assert.ok(Math.abs(x - 180) < 2 && Math.abs(y - 130) < 2, `it stands around 300, 250: ${[x, y]}`);
  assert.equal(await card.getByRole('button', { name: 'again' }).count(), 0, 'trying again makes no sense');
  await eventually(async () => assert.match(await window.page.locator('#say-assertive').textContent(), /notes\.png could not be added/));
  await card.getByRole('button', { name: 'Dismiss notes.png' }).click();
  await window.page.getByRole('heading', { name: 'Drop photos here' }).waitFor();
  assert.deepEqual(await server.images(), []);
  await window.close([REFUSED]);
});

test('a refused file does not keep the others back', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  await window.drop(await onDisk(text, red, { name: 'empty.png', bytes: '' }));
  await window.shows('red.png');
  const failed = window.page.locator('.upload[data-state=failed]');
  await eventually(async () => assert.equal(await failed.count(), 2));
  await window.page.getByRole('button', { name: '2 not added' }).click();
  await eventually(async () => assert.equal(await window.page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Dismiss notes.png'));
  await window.close([REFUSED]);
});

test('a file over the limit says so', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  await window.drop(await onDisk({ name: 'huge.png', bytes: Buffer.concat([red.bytes, Buffer.alloc(17 << 20)]) }));
  const card = window.page.locator('.upload[data-state=failed]');
  await card.waitFor();
  assert.match(await card.innerText(), /huge\.png/);
  assert.match(await card.innerText(), /MiB|bytes|large/);
  await window.close([REFUSED]);
});

test('a busy server is asked again by itself, and nothing is stored twice', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  let busy = 2;
  const ids = [];
  await window.page.route('**/image', async (route) => {
    ids.push(idOf(route.request()));
    if (busy-- === 0) return route.continue();
    if (busy === 1) return route.abort('connectionreset');
    const body = JSON.stringify({ title: 'Service Unavailable', status: 503, detail: 'the database cannot be reached' });
    return route.fulfill({ status: 503, headers: { 'Retry-After': '1', 'Content-Type': 'application/problem+json' }, body });
  });
  await window.drop(await onDisk(red));
  await window.page.locator('.upload[data-state=paused]').waitFor();
  await window.shows('red.png');
  assert.equal(ids.length, 3);
  assert.equal(new Set(ids).size, 1, 'each attempt has the same id');
  assert.deepEqual((await server.images()).map(({ id }) => id), [ids[0]]);
  await window.close([/status of 503/, /ERR_CONNECTION_RESET/]);
});

test('an upload that lost its server stands there and goes on when the server is back', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  await server.kill();
  await window.drop(await onDisk(red));
  await window.page.locator('.upload[data-state=paused], .upload[data-state=failed]').waitFor();
  await server.start();
  await window.shows('red.png');
  // The feed may name the picture before its upload is answered.
  await window.page.locator('.upload').waitFor({ state: 'detached' });
  assert.equal((await server.images()).length, 1);
  await window.close([/ERR_CONNECTION_REFUSED/, /ERR_CONNECTION_RESET/, /ERR_EMPTY_RESPONSE/]);
});

test('what cannot get through says so and can be tried again', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  await window.page.clock.install();
  await window.page.route('**/image', (route) => route.abort('connectionreset'));
  await window.drop(await onDisk(red));
  const retry = window.page.getByRole('button', { name: 'Try red.png again' });
  await eventually(async () => {
    await window.page.clock.runFor(10_000);
    assert.ok(await retry.isVisible());
  });
  assert.match(await window.page.locator('.upload').innerText(), /could not be reached/);
  await window.page.unroute('**/image');
  await retry.click();
  await eventually(async () => {
    await window.page.clock.runFor(1_000);
    assert.equal((await server.images()).length, 1);
  });
  await window.close([/ERR_CONNECTION_RESET/]);
});

test('on plain http in a LAN, where browsers withhold randomUUID, subtle and the clipboard, a picture comes too', async () => {
  const window = await Window.open(browser, `${server.url}/`, {
    prepare: (context) =>
      context.addInitScript(() => {
        delete Crypto.prototype.randomUUID;
        delete Crypto.prototype.subtle;
        delete Navigator.prototype.clipboard;
      }),
  });
  assert.equal(await window.page.evaluate(() => crypto.randomUUID ?? crypto.subtle ?? navigator.clipboard), undefined);
  await window.drop(await onDisk(red));
  await window.shows('red.png');
  await window.close();
});

test('the ids of uploads are UUIDs of version 7 that ascend', async () => {
  const window = await Window.open(browser, `${server.url}/`);
  const ids = await window.page.evaluate(async () => {
    const { uuidv7 } = await import('/static/js/upload/uuid.js');
    return Array.from({ length: 10_000 }, () => uuidv7());
  });
  assert.deepEqual(ids, [...new Set(ids)].sort());
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const milliseconds = parseInt(ids[0].replace('-', '').slice(0, 12), 16);
  assert.ok(Math.abs(milliseconds - Date.now()) < 60_000, 'it begins with the time');
  await window.close();
});

/** The `id` field of an upload's form. */
function idOf(request) {
  return request.postDataBuffer().toString('latin1').match(/name="id"\r\n\r\n([0-9a-f-]+)\r\n/)[1];
}
