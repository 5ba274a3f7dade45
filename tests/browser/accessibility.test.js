import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, launch } from './helpers/browser.js';
import { PHONE } from './helpers/fingers.js';
import { onDisk, picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

/** No rule of axe-core is broken, of any weight. */
async function check({ page }) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
  assert.deepEqual(found, []);
}

for (const colorScheme of ['light', 'dark']) {
  test(`the board and /latest are accessible, empty and filled, in ${colorScheme}`, async () => {
    for (const path of ['/', '/latest']) {
      const window = await Window.open(browser, server.url + path, { colorScheme, reducedMotion: 'reduce' });
      await window.page.locator('html[data-state=empty]').waitFor();
      await check(window);
      await window.close();
    }
    await server.upload(picture('red.png', { colour: [190, 40, 40] }));
    await server.upload(picture('green.png', { colour: [30, 140, 60] }));
    for (const path of ['/', '/latest']) {
      const window = await Window.open(browser, server.url + path, { colorScheme, reducedMotion: 'reduce' });
      await window.page.locator('html[data-state=filled]').waitFor();
      await window.drop(await onDisk({ name: 'notes.png', bytes: 'This is not a picture.' }));
      await window.page.locator('.upload[data-state=failed]').waitFor();
      if (path === '/') await window.picture('red.png').locator('[data-image]').focus();
      await check(window);
      await window.close([/status of 415/]);
    }
  });
}

test('the keyboard help opens, is accessible, and closes with Escape', async () => {
  const window = await Window.open(browser, `${server.url}/`, { reducedMotion: 'reduce' });
  await window.page.getByRole('button', { name: 'Keyboard help' }).click();
  await window.page.getByRole('heading', { name: 'Keyboard' }).waitFor();
  await check(window);
  await window.page.keyboard.press('Escape');
  await window.page.getByRole('heading', { name: 'Keyboard' }).waitFor({ state: 'hidden' });
  await window.close();
});

for (const colorScheme of ['light', 'dark']) {
  for (const [size, options] of Object.entries({ 'a wide screen': {}, 'a phone': PHONE })) {
    test(`the large view, a selection, a deletion and the name are accessible on ${size}, in ${colorScheme}`, async () => {
      const red = await server.upload(picture('red.png', { colour: [190, 40, 40] }), { x: -120, y: -200, w: 160, author: 'Ada' });
      const green = await server.upload(picture('green.png', { colour: [30, 140, 60] }), { x: -80, y: 0, w: 160 });
      const window = await Window.open(browser, `${server.url}/#image=${red.id}`, { colorScheme, reducedMotion: 'reduce', ...options });
      const { page } = window;
      await page.locator('#lightbox.is-loaded').waitFor();
      await page.locator('[data-stage]').focus();
      await check(window);
      await page.getByLabel('Description').evaluate((area) => area.closest('#lightbox').classList.add('is-detailed'));
      await check(window);
      await server.delete(red.id);
      await page.getByText('Someone deleted red.png.').waitFor();
      await check(window);
      await page.keyboard.press('Escape');
      await page.locator('#lightbox').waitFor({ state: 'hidden' });

      await server.upload(picture('blue.png', { colour: [40, 60, 190] }), { x: -80, y: 150, w: 160, author: 'Grace' });
      await page.locator('#events').getByText('Grace added blue.png').waitFor();
      await page.keyboard.press('Control+a');
      await page.getByText('2 selected', { exact: true }).waitFor();
      await check(window);
      await page.keyboard.press('Escape');
      await server.delete(green.id);
      await page.locator('#deleted').getByText('Someone deleted green.png').waitFor();
      await check(window);
      await page.getByRole('button', { name: 'Your name' }).click();
      await page.locator('#name-input').waitFor();
      await check(window);
      await window.close();
    });
  }
}
