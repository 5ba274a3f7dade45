import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch } from './helpers/browser.js';
import { onDisk, picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const red = picture('red.png', { colour: [190, 40, 40] });
const green = picture('green.png', { colour: [30, 140, 60], width: 1200, height: 900 });

/** This machine, as others in its network see it: for browsers no secure context. Where it has no network, a name of it. */
const address = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

let browser;
let server;
before(async () => (browser = await launch(address ? [] : ['--host-resolver-rules=MAP board.test 127.0.0.1'])));
after(() => browser.close());
beforeEach(async () => (server = await Server.startForAll()));
afterEach(() => server.stop());

test('guests on plain http in a LAN add, see, move and delete, and are told of duplicates', async () => {
  const url = `http://${address ?? 'board.test'}:${new URL(server.url).port}/`;
  const [one, two] = [await Window.open(browser, url), await Window.open(browser, url)];
  const { secure, subtle } = await one.page.evaluate(() => ({ secure: isSecureContext, subtle: typeof crypto.subtle }));
  assert.deepEqual({ secure, subtle }, { secure: false, subtle: 'undefined' });

  await one.drop(await onDisk(red, green), 500, 350);
  for (const window of [one, two]) {
    await window.shows('red.png', 'green.png');
    await window.paints('red.png', red.colour);
  }
  await two.drop(await onDisk({ ...red, name: 'again.png' }), 900, 600);
  await two.page.locator('.upload[data-state=duplicate]').getByText('Already on the board as “red.png”.').waitFor();
  assert.ok(two.requests.some((each) => each.endsWith('/static/js/upload/hash-worker.js')));
  await two.page.getByRole('button', { name: 'Dismiss again.png' }).click();

  await two.page.evaluate((bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], 'pasted.png', { type: 'image/png' }));
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  }, [...picture('pasted.png', { colour: [40, 60, 190] }).bytes]);
  for (const window of [one, two]) await window.shows('red.png', 'green.png', 'pasted.png');

  const placed = async () => (await server.images()).find(({ fileName }) => fileName === 'red.png');
  const { x } = await placed();
  await one.picture('red.png').locator('[data-image]').focus();
  await one.page.keyboard.press('ArrowLeft');
  await eventually(async () => assert.ok((await placed()).x < x));
  await one.page.keyboard.press('Delete');
  for (const window of [one, two]) await window.shows('green.png', 'pasted.png');
  for (const window of [one, two]) await window.close([/Cross-Origin-Opener-Policy|untrustworthy/]);
});
