import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch, pixelOf } from './helpers/browser.js';
import { onDisk, picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const red = picture('red.png', { colour: [190, 40, 40] });
const green = picture('green.png', { colour: [30, 140, 60], width: 200, height: 320 });
const blue = picture('blue.png', { colour: [40, 60, 190] });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

const open = () => Window.open(browser, `${server.url}/latest`);

/** Waits until this picture is shown, by name and by its pixels, and no other. */
async function showsOnly(window, { name, colour }) {
  const image = window.page.locator('#images img');
  await eventually(async () => {
    assert.equal(await image.count(), 1);
    assert.equal(await window.page.locator('#name').innerText(), name);
    assert.deepEqual(await pixelOf(image), colour);
  });
  assert.match(await image.getAttribute('src'), /^blob:/, 'the bytes came over the socket');
}

const isEmpty = (window) => window.page.locator('html[data-state=empty]').waitFor();

test('the drop zone of /latest takes an image, and every window shows it', async () => {
  const [one, two] = [await open(), await open()];
  await isEmpty(one);
  assert.ok(await one.page.getByText('Drop photos here').isVisible());
  await one.drop(await onDisk(red), 640, 400);
  await showsOnly(one, red);
  await showsOnly(two, red);
  await one.choose(one.page.getByRole('button', { name: 'Choose photos' }), await onDisk(green));
  await showsOnly(one, green);
  await showsOnly(two, green);
  for (const window of [one, two]) await window.close();
});

test('a new tab shows the last saved image, and a delete brings back the one before', async () => {
  const first = await server.upload(red);
  const second = await server.upload(green);
  const third = await server.upload(blue);
  const window = await open();
  await showsOnly(window, blue);
  await server.delete(third.id);
  await showsOnly(window, green);
  await server.delete(first.id);
  await server.delete(second.id);
  await isEmpty(window);
  assert.equal(await window.page.locator('#images img').count(), 0);
  await server.upload(red);
  await showsOnly(window, red);
  await window.close();
});

test('all files of a drop are taken, and the refused one says why, by name', async () => {
  const window = await open();
  await window.drop(await onDisk(red, { name: 'notes.png', bytes: 'This is not a picture.' }, blue));
  const line = window.page.locator('.upload[data-state=failed]');
  await line.waitFor();
  assert.match(await line.innerText(), /notes\.png/);
  await eventually(async () => assert.deepEqual((await server.images()).map(({ fileName }) => fileName).sort(), ['blue.png', 'red.png']));
  await line.getByRole('button', { name: 'Dismiss notes.png' }).click();
  await eventually(async () => assert.equal(await window.page.locator('.upload').count(), 0));
  await window.close([/status of 415/]);
});

test('/latest comes back by itself after the server was killed, with what is then the last', async () => {
  await server.upload(red);
  const window = await open();
  await showsOnly(window, red);
  await server.kill();
  await window.page.getByText('The connection is lost').first().waitFor();
  await server.start();
  await server.upload(green);
  await window.ready();
  await showsOnly(window, green);
  await window.close([/WebSocket connection to .* failed/, /ERR_CONNECTION_(RESET|REFUSED)/]);
});
