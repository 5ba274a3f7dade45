import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch } from './helpers/browser.js';
import { picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

test('the whole board can be downloaded as a ZIP, unless it is empty', async () => {
  const window = await Window.open(browser, `${server.url}/`, { acceptDownloads: true });
  const link = window.page.getByRole('link', { name: 'Download all photos' });
  await window.page.locator('html[data-state=empty]').waitFor();
  assert.equal(await link.count(), 0);
  const pictures = [picture('red.png', { colour: [190, 40, 40] }), picture('grün 🌳.png', { colour: [30, 140, 60] })];
  for (const each of pictures) await server.upload(each);
  const [download] = await Promise.all([window.page.waitForEvent('download'), link.click()]);
  assert.match(download.suggestedFilename(), /^board-\d{4}-\d\d-\d\d\.zip$/);
  const bytes = await readFile(await download.path());
  assert.equal(bytes.readUInt32LE(0), 0x04034b50, 'it begins as a ZIP does');
  for (const { name, bytes: whole } of pictures) {
    assert.ok(bytes.includes(Buffer.from(name)), `${name} is in it`);
    assert.ok(bytes.includes(whole.subarray(-60)), 'with its bytes');
  }
  for (const { id } of await server.images()) await server.delete(id);
  await eventually(async () => assert.equal(await link.count(), 0));
  await window.close();
});
