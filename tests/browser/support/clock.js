// The clock of a page, turned by the test.

import { expect } from '@playwright/test';

/**
 * Options of a window whose clock can be stopped. Do not use `settled` in it: frames come only while the clock runs.
 * @type {import('../fixtures.js').OpenOptions}
 */
export const CLOCKED = { prepare: (context) => context.clock.install() };

/** Stops the clock of the page, which then runs only while the test turns it. */
export async function stopClock({ page }) {
  await page.clock.pauseAt(Date.now() + 1_000);
}

/** Turns the clock in small steps until an assertion holds. */
export function turnClockUntil({ page }, assertion) {
  return expect(async () => {
    await page.clock.runFor(20);
    await assertion();
  }).toPass();
}
