// The album as a person sees and uses it.

import { readFile } from 'node:fs/promises';
import { expect } from '@playwright/test';

// Node.js takes a file outside a package of modules for CommonJS.
const batches = await readFile(new URL('../../../static/js/feed/batch.js', import.meta.url), 'utf8');
const { recordsOf } = await import(`data:text/javascript,${encodeURIComponent(batches)}`);

/** Options of a window that shows the album. */
export const ALBUM = { path: '/#album' };

/** The photos in the document, in their order. */
export const photosIn = ({ page }) => page.locator('.photo[data-id]');

/** The photo with that id. @param {any} window @param {string} id */
export const photoIn = ({ page }, id) => page.locator(`.photo[data-id="${id}"]`);

/** The scrolled element. */
export const albumIn = ({ page }) => page.locator('#album-view');

/** Waits until the album has exactly these photos, in this order. @param {any} window @param {string[]} ids */
export async function hasPhotos(window, ids) {
  const found = () => photosIn(window).evaluateAll((all) => all.map(({ dataset }) => dataset.id));
  await expect.poll(found, { message: 'photos of the album' }).toEqual(ids);
}

/** Scrolls the album to a distance from its top. */
export async function scrollAlbum(window, top) {
  await albumIn(window).evaluate((album, top) => (album.scrollTop = top), top);
  await window.settled();
}

/** The id of the focused photo; empty if none has the focus. */
export const focusedPhoto = ({ page }) =>
  page.evaluate(() => /** @type {HTMLElement | null} */ (document.activeElement.closest('.photo'))?.dataset.id ?? '');

/** Waits until this photo has the focus. @param {any} window @param {string} id */
export async function hasPhotoFocus(window, id) {
  await expect.poll(() => focusedPhoto(window), { message: 'focused photo' }).toBe(id);
}

/**
 * Replaces each record that the server sends to a window by others.
 * @param {import('@playwright/test').BrowserContext} context
 * @param {(record: any) => object[]} replace
 */
function replaceRecords(context, replace) {
  return context.routeWebSocket(/\/ws\?/, (page) => {
    page.connectToServer().onMessage((message) => {
      const { event, data } = JSON.parse(String(message));
      if (event === 'Image:update') for (const record of replace(data)) page.send(JSON.stringify({ event, data: record }));
      else if (event === 'Image:batch') {
        const records = recordsOf(data).flatMap(replace);
        for (const record of records) page.send(JSON.stringify({ event: 'Image:update', data: record }));
      }
      else page.send(message);
    });
  });
}

/**
 * Changes the records that the server sends to a window. `change` returns the fields to replace.
 * @param {import('@playwright/test').BrowserContext} context
 * @param {(record: any) => object} change
 */
export function changeRecords(context, change) {
  return replaceRecords(context, (record) => [{ ...record, ...change(record) }]);
}

/**
 * Sends a window each record that `isCopied` as `times` images, which is faster than to upload so many.
 * @param {import('@playwright/test').BrowserContext} context
 * @param {number} times
 * @param {(record: any) => boolean} isCopied
 */
export function multiplyRecords(context, times, isCopied) {
  const copy = (record, at) => ({ ...record, id: `${record.id.slice(0, -4)}${at.toString(16).padStart(4, '0')}` });
  return replaceRecords(context, (record) => [record, ...(isCopied(record) ? Array.from({ length: times - 1 }, (_, at) => copy(record, at)) : [])]);
}
