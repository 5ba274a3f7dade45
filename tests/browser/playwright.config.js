// Configuration of the browser tests: `npx playwright test [file]`. Nothing is retried: a test that fails once has failed.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { defineConfig } from '@playwright/test';

const DESKTOP_NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

// The headless shell is the same engine without the windows of a desktop: a new page costs it less than half the time.
const HEADLESS_NAMES = ['chromium-headless-shell', ...DESKTOP_NAMES];

export default defineConfig({
  testDir: '.',
  testMatch: '*.test.js',
  outputDir: 'test-results',
  reporter: 'list',
  retries: 0,
  forbidOnly: true,
  // Each worker runs a Chromium and a server; a third would only make the other two wait.
  workers: 2,
  // Generous, because every wait is for a condition: a slow machine makes a test slow, not red.
  timeout: 300_000,
  expect: { timeout: 60_000, toPass: { timeout: 60_000, intervals: [50] } },
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    actionTimeout: 60_000,
    navigationTimeout: 60_000,
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium(HEADLESS_NAMES),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // A name that stands for an address of the local network on machines without one.
        '--host-resolver-rules=MAP board.test 127.0.0.1',
      ],
    },
  },
});

/** The Chromium of a desktop, for what the headless shell does not have. */
export function desktopChromium() {
  return chromium(DESKTOP_NAMES);
}

/**
 * The installed Chromium: `$CHROMIUM`, or the first of these names in the `PATH`.
 * @param {string[]} names
 */
function chromium(names) {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = candidates.find(isExecutable);
  if (!found) throw new Error(`none of ${names.join(', ')} is in the PATH; set CHROMIUM to the path of a Chromium`);
  return found;
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
