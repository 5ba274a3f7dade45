// The fixtures of the browser tests. A test reads like this:
//
//   import { expect, test } from './fixtures.js';
//   import { image } from './support/images.js';
//
//   const red = image('red.png', { colour: [190, 40, 40] });
//
//   test('an image dropped in one window appears in another', async ({ server, open }) => {
//     const [one, two] = [await open(), await open()];
//     await one.drop([red], 500, 300);
//     await two.shows('red.png');
//     await two.paints('red.png', red.colour);
//     await expect.poll(() => server.images()).toHaveLength(1);
//   });
//
// - `server` is the real binary on a free port with an empty data folder, one for each test. Options for it:
//   `test.use({ serverOptions: ['--undo-window', '1s'] })`. `server.upload(image, fields)` stores an image without a page.
//   With `NEEDS_LINKS` nobody gets in without a link: `open({ link: await server.makeLink('add') })`.
// - `open(options)` opens a window: a browser context of its own, as if on another machine. See `support/window.js` for
//   what a window can do and `support/board.js` for the board. Windows are closed at the end of the test, which fails if
//   a page requested anything from another host than the `expectedHosts` or wrote an error to the console that
//   `expectedErrors` does not list.
// - `image(name, options)` generates a PNG; `tests/files` holds real ones.
//
// Rules: wait for conditions (`expect(locator)`, `expect.poll`, `eventually`), never for time. Assert that something does
// not happen only after an event that would have come later. Measure positions after `window.settled()`.

import { test as base } from '@playwright/test';
import { Server } from './support/server.js';
import { BrowserWindow } from './support/window.js';

/**
 * @typedef {import('@playwright/test').BrowserContextOptions & {
 *   path?: string,
 *   url?: string,
 *   link?: { url: string },
 *   prepare?: (context: import('@playwright/test').BrowserContext) => unknown,
 *   expectedErrors?: RegExp[],
 *   expectedHosts?: string[],
 *   slowMessages?: boolean,
 *   asksName?: boolean,
 * }} OpenOptions
 *   `path` is that of the page, `/` by default; `url` replaces the whole address; `link` is followed to its board; `prepare` is called with the context
 *   before the page loads; `expectedHosts` are those the page may fetch from besides its own (`127.0.0.1:80`); with `slowMessages` what the page shows for some seconds stays for a minute, so that it
 *   outlives the steps of a test on a busy machine; with `asksName` the page asks for the name of the user as in a new
 *   browser; all others are options of the context.
 */

/**
 * @typedef {object} Fixtures
 * @property {string[]} serverOptions Further command line arguments of the server.
 * @property {Server} server
 * @property {(options?: OpenOptions) => Promise<BrowserWindow>} open
 */

export const test = base.extend(
  /** @type {import('@playwright/test').Fixtures<Fixtures, {}, import('@playwright/test').PlaywrightTestArgs & import('@playwright/test').PlaywrightTestOptions, import('@playwright/test').PlaywrightWorkerArgs>} */ ({
    serverOptions: [[], { option: true }],

    server: async ({ serverOptions }, use, testInfo) => {
      const server = await Server.start({ options: serverOptions });
      await use(server);
      await server.stop();
      if (testInfo.status !== testInfo.expectedStatus) await testInfo.attach('server log', { body: server.log });
    },

    open: async ({ browser, server }, use) => {
      /** @type {BrowserWindow[]} */
      const windows = [];
      await use(async ({ path = '/', link, url = link?.url ?? server.url + path, ...options } = {}) => {
        const window = await BrowserWindow.open(browser, url, options);
        windows.push(window);
        return window;
      });
      for (const window of windows) await window.close();
    },
  }),
);

export { expect } from '@playwright/test';
export { NEEDS_LINKS } from './support/server.js';
