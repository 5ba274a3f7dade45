// The whole site below a path.

import { expect, test } from './fixtures.js';
import { image } from './support/images.js';
import { startPrefixProxy } from './support/prefix.js';

const red = image('red.png', { colour: [190, 40, 40], width: 1200, height: 900 });
const green = image('green.png', { colour: [30, 140, 60] });

test('a site below a path adds, shows, deletes and restores photos, on the main board and on others', async ({ server, open }) => {
  const site = await startPrefixProxy(server);
  const { id } = await server.makeBoard('Class 7b');
  for (const [path, board] of [['/', 'main'], [`/b/${id}`, id]]) {
    const window = await open({ url: site.url + path });
    const { page } = window;
    await window.drop([red, green]);
    await window.shows('red.png', 'green.png');
    await window.paints('red.png', red.colour);
    expect((await server.images(board)).map(({ fileName }) => fileName).sort()).toEqual(['green.png', 'red.png']);
    await window.tile('green.png').locator('[data-image]').focus();
    await page.keyboard.press('Enter');
    await expect(page.locator('#lightbox.is-loaded')).toBeVisible();
    await expect(page.getByRole('link', { name: 'Download', exact: true })).toHaveAttribute('href', /^\/party\/image\/download\//);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Delete');
    await window.shows('red.png');
    await page.locator('#show-bin').click();
    await expect(page.locator('.bin-thumb img')).toHaveJSProperty('complete', true);
    await page.locator('#bin').getByRole('button', { name: 'Restore green' }).click();
    await window.shows('red.png', 'green.png');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await page.getByRole('button', { name: 'Board settings…' }).click();
    await page.locator('#host').getByLabel('Title').fill('Garden');
    await page.keyboard.press('Enter');
    await expect(page).toHaveTitle('Garden');
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Latest' }).click();
    await window.ready();
    await expect(page.locator('#images img')).toBeVisible();
    await page.getByRole('link', { name: 'Board' }).click();
    await window.ready();
    await expect(page).toHaveURL(site.url + path);
    await window.close();
  }
  const boards = await open({ url: `${site.url}/boards` });
  await boards.page.getByRole('link', { name: /^Garden/ }).last().click();
  await boards.ready();
  await boards.shows('red.png', 'green.png');
  // Before the proxy, without which a page would report a lost connection.
  await boards.close();
  expect(site.strays.filter((path) => path !== '/favicon.ico')).toEqual([]);
  await site.stop();
});
