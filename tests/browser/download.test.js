import { readFile } from 'node:fs/promises';
import { expect, test } from './fixtures.js';
import { image } from './support/images.js';

test('the whole board can be downloaded as a ZIP file, unless it is empty', async ({ server, open }) => {
  const window = await open({ acceptDownloads: true });
  const link = window.page.getByRole('link', { name: 'Download all photos' });
  await expect(window.page.locator('html')).toHaveAttribute('data-state', 'empty');
  await expect(link).toHaveCount(0);
  const images = [image('red.png', { colour: [190, 40, 40] }), image('grün 🌳.png', { colour: [30, 140, 60] })];
  for (const each of images) await server.upload(each);
  const [download] = await Promise.all([window.page.waitForEvent('download'), link.click()]);
  expect(download.suggestedFilename()).toMatch(/^board-\d{4}-\d\d-\d\d\.zip$/);
  const archive = await readFile(await download.path());
  expect(archive.readUInt32LE(0), 'signature of a local file header').toBe(0x04034b50);
  for (const { name, bytes } of images) {
    expect(archive.includes(Buffer.from(name)), `${name} is in it`).toBe(true);
    expect(archive.includes(bytes.subarray(-60)), `the bytes of ${name} are in it`).toBe(true);
  }
  for (const { id } of await server.images()) await server.delete(id);
  await expect(link).toHaveCount(0);
});
