// The server accepts an image exactly if the browser shows it, and finds the size that the browser finds.

import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from './fixtures.js';
import { damaged } from './support/damage.js';

const FOLDER = new URL('../files/', import.meta.url);

const TYPES = { '.png': 'image/png', '.jpg': 'image/jpeg', '.gif': 'image/gif', '.webp': 'image/webp', '.avif': 'image/avif' };

/** The limit of the server, which damage to a header may exceed. */
const MAX_PIXELS = 100_000_000;

/** The extension of a file name, with the dot. */
const extension = (/** @type {string} */ name) => name.slice(name.lastIndexOf('.'));

/** All files of a type in tests/files. */
async function filesOf(/** @type {string} */ ending) {
  const names = (await readdir(FOLDER, { recursive: true })).filter((name) => extension(name) === ending).sort();
  return Promise.all(names.map(async (name) => ({ name, bytes: await readFile(new URL(name, FOLDER)) })));
}

/**
 * The size of an image in an `<img>`, or that it is refused or too large for the server.
 * @param {import('@playwright/test').Page} page
 * @param {import('./support/damage.js').File} file
 */
function shown(page, { name, bytes }) {
  return page.evaluate(
    async ({ base64, type, maxPixels }) => {
      const source = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const img = new Image();
      img.src = URL.createObjectURL(new Blob([source], { type }));
      const isShown = await new Promise((resolve) => {
        img.onload = () => resolve(true);
        img.onerror = () => resolve(false);
      });
      URL.revokeObjectURL(img.src);
      if (!isShown) return 'refused';
      return img.naturalWidth * img.naturalHeight > maxPixels ? 'too large' : `${img.naturalWidth}x${img.naturalHeight}`;
    },
    { base64: bytes.toString('base64'), type: TYPES[extension(name)], maxPixels: MAX_PIXELS },
  );
}

/**
 * The size that the server finds in an image, or that it is refused or too large.
 * @param {string} url
 * @param {import('./support/damage.js').File} file
 */
async function accepted(url, { name, bytes }) {
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(bytes)]), name);
  const response = await fetch(`${url}/image`, { method: 'POST', body: form });
  const answer = await response.json();
  if (/the limit is/.test(answer.detail)) return 'too large';
  if (response.status === 415 || response.status === 422) return 'refused';
  expect(response.status, `${name}: ${JSON.stringify(answer)}`).toBe(201);
  return `${answer.width}x${answer.height}`;
}

for (const [ending, type] of Object.entries(TYPES)) {
  test(`the server and the browser agree on each ${type}, intact or damaged`, async ({ browser, server }) => {
    const originals = await filesOf(ending);
    const files = originals.flatMap((file) => [file, ...damaged(file)]);
    expect(files.length).toBeGreaterThan(60);
    const page = await browser.newPage();
    const different = [];
    for (const file of files) {
      const [ours, theirs] = [await accepted(server.url, file), await shown(page, file)];
      if (ours !== theirs) different.push(`${file.name}: the server says ${ours}, the browser ${theirs}`);
    }
    await page.close();
    expect(different).toEqual([]);
  });
}
