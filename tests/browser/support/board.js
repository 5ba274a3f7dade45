// The board as a person sees and uses it.

import { expect } from '@playwright/test';

/** @typedef {import('./window.js').BrowserWindow} BrowserWindow */

/** The box of a tile on the screen, after all movement has ended. */
export async function settledBox(window, name) {
  await expect(window.tile(name)).toBeAttached();
  await window.settled();
  return window.boxOf(window.tile(name));
}

/** The middle of a tile on the screen, after all movement has ended. @returns {Promise<[x: number, y: number]>} */
export async function middleOf(window, name) {
  const { x, y, width, height } = await settledBox(window, name);
  return [x + width / 2, y + height / 2];
}

/** The box in which a window draws an image, in board units; between two placements while the tile moves. */
export function placementOf(window, name) {
  return window.tile(name).evaluate((tile) => {
    const { m41, m42 } = new DOMMatrix(getComputedStyle(tile).transform);
    return { x: Math.round(m41 * 10) / 10, y: Math.round(m42 * 10) / 10, width: tile.offsetWidth };
  });
}

/** Waits until a window draws an image at this placement. */
export async function isPlaced(window, name, placement) {
  await expect.poll(() => placementOf(window, name), { message: `placement of ${name}` }).toMatchObject(placement);
}

/** Uploads images, three at most to be in view, in a row with gaps between them. */
export async function uploadRow(server, images) {
  for (const [at, each] of images.entries()) await server.upload(each, { x: at * 240 - 320, y: -60, w: 160 });
}

/** Waits until exactly the images with these file names are selected. */
export async function areSelected(window, ...names) {
  const found = () => window.namesOf(window.page.locator('.tile.is-selected'));
  await expect.poll(found, { message: 'selected images' }).toEqual([...names].sort());
}

/** Waits for an announcement to screen readers, made since the last one that was waited for. */
export async function announces({ page }, pattern) {
  /** @type {string[]} */
  let heard = [];
  const matches = () =>
    page.evaluate(({ source, flags }) => {
      const found = activity.announcements.findIndex((text) => new RegExp(source, flags).test(text));
      return found < 0 ? [...activity.announcements] : activity.announcements.splice(0, found + 1).slice(-1);
    }, { source: pattern.source, flags: pattern.flags });
  const last = async () => (heard = await matches()).at(-1) ?? '';
  await expect.poll(last, { message: `announcement, after ${heard}` }).toMatch(pattern);
}

/** The line that reports what other viewers do. */
export const eventsOf = ({ page }) => page.locator('#events');

/** Every text that the line of events has shown in this window. */
export const pastEventsOf = ({ page }) => page.evaluate(() => [...activity.events]);

/** Waits until the bar about the connection has shown this text, perhaps for a moment only. */
export async function hasShownInBar({ page }, text) {
  await expect.poll(() => page.evaluate(() => activity.connections), { message: 'texts of the bar' }).toContain(text);
}

/** The accessible name of the focused element. */
export function focused({ page }) {
  return page.evaluate(() => {
    const element = /** @type {HTMLElement} */ (document.activeElement);
    return element.getAttribute('aria-label') ?? element.innerText.trim();
  });
}

/** Waits until the element of that name has the focus. */
export async function hasFocus(window, name) {
  await expect.poll(() => focused(window), { message: 'focused element' }).toBe(name);
}

/** Takes the focus from whatever has it, so that Tab begins at the top of the page. */
export function blur({ page }) {
  return page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());
}

/** Presses Tab until the element of that name has the focus. */
export async function tabTo(window, name) {
  const seen = [];
  for (let press = 0; press < 50; press += 1) {
    await window.page.keyboard.press('Tab');
    seen.push(await focused(window));
    if (seen.at(-1) === name) return;
  }
  expect(seen, `Tab reaches ${name}`).toContain(name);
}

/** Presses Tab until a photo has the focus. The board is a single stop of Tab. */
export async function tabToPhoto(window) {
  const isPhoto = () => window.page.evaluate(() => document.activeElement?.matches('[data-image]') ?? false);
  for (let press = 0; press < 50 && !(await isPhoto()); press += 1) await window.page.keyboard.press('Tab');
  expect(await isPhoto(), 'Tab reaches the photos').toBe(true);
}

/** Goes with Tab to the photos and with keys to the one of that name. */
export async function focusPhoto(window, name) {
  await tabToPhoto(window);
  await window.page.keyboard.press('Home');
  const seen = [await focused(window)];
  for (const key of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp']) {
    for (let press = 0; press < 12 && seen.at(-1) !== name; press += 1) {
      await window.page.keyboard.press(key);
      seen.push(await focused(window));
    }
  }
  expect(seen.at(-1), `keys reach ${name} after ${seen}`).toBe(name);
}

/**
 * Drags with the mouse from one point to another and releases the button.
 * @param {BrowserWindow} window
 * @param {number[]} from
 * @param {number[]} to
 */
export async function dragMouse({ page }, [x, y], [toX, toY], steps = 4) {
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(toX, toY, { steps });
  await page.mouse.up();
}

/** Chooses a command of the menu that arranges photos. */
export async function arrange({ page }, command) {
  await page.locator('.tool-arrange, #selection [popovertarget]').and(page.locator(':visible')).first().click();
  await page.locator('#arrange-menu').getByRole('button', { name: command }).click();
}
