// Configuration of the browser tests: `npx playwright test [file]`. Nothing is retried: a test that fails once has failed.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { defineConfig } from '@playwright/test';

// The headless shell is the same engine without the windows of a desktop: a new window costs it a fraction of the time.
const CHROMIUM_NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];

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
      executablePath: chromium(),
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

/** The installed Chromium: `$CHROMIUM`, or the first in the `PATH`. */
function chromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = CHROMIUM_NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = candidates.find(isExecutable);
  if (!found) throw new Error(`none of ${CHROMIUM_NAMES.join(', ')} is in the PATH; set CHROMIUM to the path of a Chromium`);
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
