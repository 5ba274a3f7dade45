// The wake lock of the show. The headless shell refuses every wake lock, so this needs the Chromium of a desktop.

import { expect, test } from './fixtures.js';
import config, { desktopChromium } from './playwright.config.js';
import { image } from './support/images.js';

const red = image('red.png', { colour: [190, 40, 40] });

test.use({ launchOptions: { ...config.use?.launchOptions, executablePath: desktopChromium() } });

test('the screen stays on while the show is open', async ({ server, open }) => {
  await server.upload(red);
  const prepare = (context) =>
    context.addInitScript(() => {
      const request = navigator.wakeLock.request.bind(navigator.wakeLock);
      globalThis.noted = { locks: [] };
      navigator.wakeLock.request = async (type) => {
        const lock = await request(type);
        noted.locks.push(lock);
        return lock;
      };
    });
  const window = await open({ path: '/#show', prepare });
  const held = () => window.page.evaluate(() => noted.locks.filter(({ released }) => !released).length);
  await expect.poll(held).toBe(1);
  await window.page.keyboard.press('Escape');
  await expect.poll(held).toBe(0);
});
