// What a person sees of the board, and does to it.

import assert from 'node:assert/strict';
import { eventually } from './browser.js';

/** Where a picture is on the screen, once the page has stopped to glide to it. */
export async function settledBox(window, name) {
  return eventually(async () => {
    const before = await window.boxOf(window.picture(name));
    await window.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    assert.deepEqual(await window.boxOf(window.picture(name)), before);
    return before;
  });
}

/** The middle of a picture on the screen. */
export async function middleOf(window, name) {
  const { x, y, width, height } = await settledBox(window, name);
  return [x + width / 2, y + height / 2];
}

/** Where a window shows a picture, in board units. */
export async function placeOf(window, name) {
  return window.picture(name).evaluate((tile) => {
    const { m41, m42 } = new DOMMatrix(getComputedStyle(tile).transform);
    return { x: Math.round(m41 * 10) / 10, y: Math.round(m42 * 10) / 10, width: tile.offsetWidth };
  });
}

/** The names of the selected pictures. */
export async function selected({ page }) {
  return (await page.locator('.tile.is-selected [data-name]').allTextContents()).sort();
}

/** Waits until a screen reader has been told something. */
export function said({ page }, pattern) {
  return eventually(async () => assert.match(await page.locator('#say-polite').textContent(), pattern));
}

/** The name of what has the focus. */
export function focused({ page }) {
  return page.evaluate(() => {
    const element = document.activeElement;
    return element.getAttribute('aria-label') ?? element.innerText.trim();
  });
}

/** Presses Tab until something of that name has the focus. */
export async function tabTo(window, name) {
  const seen = [];
  for (let press = 0; press < 50; press += 1) {
    await window.page.keyboard.press('Tab');
    seen.push(await focused(window));
    if (seen.at(-1) === name) return;
  }
  assert.fail(`Tab does not reach ${name}, only ${seen.join(', ')}`);
}
