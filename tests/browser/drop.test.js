import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, NEEDS_LINKS, test as base } from './fixtures.js';
import { dragMouse } from './support/board.js';
import { image, writeFiles } from './support/images.js';
import { OtherSite } from './support/other-site.js';
import { pixelOf } from './support/window.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60], width: 200, height: 320 });
const png = { body: red.bytes, headers: { 'Content-Type': 'image/png' } };

const COPY_IT = 'A photo could not be taken from its site: copy it there and paste it here.';
/** The message of Chromium in the console when a page may not read a response. */
const NOT_ALLOWED = [/blocked by CORS policy/, /net::ERR_FAILED/];

const test = base.extend(
  /** @type {import('@playwright/test').Fixtures<{ site: OtherSite }, {}, {}>} */ ({
    site: async ({}, use) => {
      const site = await OtherSite.start({
        '/open.png': { ...png, isOpen: true },
        '/photos/sea%20view.png?size=large': { ...png, isOpen: true },
        '/unnamed/': { body: green.bytes, headers: { 'Content-Type': 'image/png' }, isOpen: true },
        '/untyped.png': { body: red.bytes, headers: { 'Content-Type': 'application/octet-stream' }, isOpen: true },
        '/closed.png': png,
        '/silent.png': { isSilent: true },
        '/page.html': { body: '<h1>A page</h1>', headers: { 'Content-Type': 'text/html' }, isOpen: true },
      });
      await use(site);
      await site.stop();
    },
  }),
);

/** The data that a browser puts into the drag of an image. */
function imageDrag(url, link = url) {
  return { 'text/uri-list': link, 'text/html': `<meta charset="utf-8"><a href="${link}"><img src="${url}" alt="A photo"></a>` };
}

/** The short messages of the page. */
const notices = ({ page }) => page.locator('#notices p');

/** Waits until the page shows exactly this message. */
async function says(window, text) {
  await expect(notices(window)).toHaveText([text]);
}

/** Fails if the page has been left or another one opened. */
function hasStayed({ page, context }, url) {
  expect(page.url()).toBe(url);
  expect(context.pages()).toHaveLength(1);
}

/** The names of the stored images. */
const namesOn = async (server) => (await server.images()).map(({ fileName }) => fileName).sort();

test('a photo dragged over from a site that allows it is added where it is dropped', async ({ server, open, site }) => {
  const window = await open({ expectedHosts: [site.host] });
  await window.dropData(imageDrag(site.at('/open.png'), site.at('/page.html')), 500, 300);
  await window.shows('open.png');
  await window.paints('open.png', red.colour);
  await expect(notices(window)).toHaveCount(0);
  hasStayed(window, `${server.url}/`);
  expect(site.requests.map(({ url }) => url), 'the image, not its link; the server asks for nothing').toEqual(['/open.png']);
  const [{ headers }] = site.requests;
  expect([headers.referer, headers.cookie], 'the site is told nothing').toEqual([undefined, undefined]);
});

test('a photo whose site does not allow it is not added, and one sentence says how', async ({ server, open, site }) => {
  for (const path of ['/', '/latest']) {
    const window = await open({ path, expectedErrors: NOT_ALLOWED, expectedHosts: [site.host], slowMessages: true });
    await window.dropData(imageDrag(site.at('/closed.png')));
    await says(window, COPY_IT);
    hasStayed(window, server.url + path);
    await expect(window.page.locator('.upload')).toHaveCount(0);
  }
  expect(await server.images()).toEqual([]);
});

test('a photo dragged over to /latest is shown', async ({ server, open, site }) => {
  const window = await open({ path: '/latest', expectedHosts: [site.host] });
  await window.dropData(imageDrag(site.at('/open.png')));
  await expect(window.page.locator('#name')).toHaveText('open.png');
  await expect.poll(() => pixelOf(window.page.locator('#images img'))).toEqual(red.colour);
  hasStayed(window, `${server.url}/latest`);
});

test('the photos of a drop are named after their addresses; a data: address has no name', async ({ server, open, site }) => {
  const window = await open({ expectedHosts: [site.host] });
  const inline = image('inline', { colour: [40, 60, 190] });
  const sources = [
    site.at('/photos/sea%20view.png?size=large'),
    site.at('/unnamed/'),
    `data:image/png;base64,${inline.bytes.toString('base64')}`,
    site.at('/photos/sea%20view.png?size=large'),
  ];
  await window.dropData({ 'text/html': sources.map((url) => `<p>Text <img src="${url}"></p>`).join(''), 'text/plain': 'Text' });
  // The three have different bytes, so none is a duplicate.
  await window.shows('image.png', 'image.png', 'sea view.png');
  await expect(notices(window)).toHaveCount(0);
});

test('every photo in a list of links is added, and what is not a photo is pointed out', async ({ server, open, site }) => {
  const window = await open({ expectedHosts: [site.host], slowMessages: true });
  const lines = ['# Two photos and a page', site.at('/untyped.png'), site.at('/page.html'), site.at('/unnamed/')];
  await window.dropData({ 'text/uri-list': lines.join('\r\n') });
  await window.shows('untyped.png', 'image.png');
  await says(window, 'Not added: a link is not a photo.');
  expect(site.requests.map(({ url }) => url).sort()).toEqual(['/page.html', '/unnamed/', '/untyped.png']);
});

for (const path of ['/', '/latest']) {
  test(`nothing dropped on ${path} makes the browser leave it`, async ({ server, open, site }) => {
    const window = await open({ path, expectedErrors: NOT_ALLOWED, expectedHosts: [site.host], slowMessages: true });
    await window.dropData({ 'text/uri-list': site.at('/page.html'), 'text/html': `<a href="${site.at('/page.html')}">A page</a>` });
    await says(window, 'Nothing to add: a link is not a photo.');
    await window.dropData({ 'text/uri-list': 'javascript:document.title="run"', 'text/plain': 'javascript:document.title="run"' });
    await window.dropData({ 'text/plain': site.at('/page.html') });
    await window.dropData({ 'text/html': '<b>Bold</b>', 'text/plain': 'Bold' });
    await expect(notices(window)).toHaveText([/a link/, 'Nothing to add: this is text, not a photo.']);
    hasStayed(window, server.url + path);
    expect(await window.page.title()).not.toBe('run');
    expect(await server.images()).toEqual([]);
  });
}

test.describe('in the panel of a host', () => {
  test.use({ serverOptions: NEEDS_LINKS });

  test('a link dropped on a switch does not leave the page', async ({ server, open, site }) => {
    const link = await server.makeLink('host', 'main', { name: 'Me' });
    const window = await open({ link, expectedErrors: NOT_ALLOWED, expectedHosts: [site.host], slowMessages: true });
    const { page } = window;
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await expect(page.locator('#host')).toBeVisible();
    const address = page.url();
    const panel = page.locator('#host');
    for (const control of [panel.getByRole('switch').first(), panel.getByRole('radio').first()]) {
      await control.scrollIntoViewIfNeeded();
      await window.settled();
      const { x, y, width, height } = await window.boxOf(control);
      await window.dropData({ 'text/uri-list': site.at('/page.html') }, x + width / 2, y + height / 2);
    }
    // On a slow machine “Getting the photo…” stands above it.
    await expect(notices(window).filter({ hasText: 'Nothing to add: a link is not a photo.' })).toBeVisible();
    expect(page.url()).toBe(address);
  });
});

test('text dropped on a text field goes into it, links elsewhere do not leave the page', async ({ server, open, site }) => {
  const window = await open({ expectedHosts: [site.host], slowMessages: true });
  await window.page.getByRole('button', { name: 'Your name' }).click();
  const field = window.page.getByRole('textbox', { name: 'Your name' });
  await window.settled();
  const { x, y, width, height } = await window.boxOf(field);
  await window.dropData({ 'text/plain': 'Ada' }, x + width / 2, y + height / 2);
  await expect(field).toHaveValue('Ada');
  await window.dropData({ 'text/uri-list': site.at('/page.html') }, 640, 600);
  await says(window, 'Nothing to add: a link is not a photo.');
  hasStayed(window, `${server.url}/`);
});

test('what is dragged within a page is not added, what comes from outside is', async ({ server, open, site }) => {
  await server.upload(red);
  const latest = await open({ path: '/latest', expectedHosts: [site.host], slowMessages: true });
  await expect(latest.page.locator('#name')).toHaveText('red.png');
  for (const dragged of [latest.page.locator('#images img'), latest.page.getByRole('link', { name: 'Board' })]) {
    await latest.settled();
    const { x, y, width, height } = await latest.boxOf(dragged);
    const dropzone = await latest.boxOf(latest.page.locator('#dropzone'));
    await dragMouse(latest, [x + width / 2, y + height / 2], [dropzone.x + 20, dropzone.y + 20]);
  }
  await latest.dropData(imageDrag(site.at('/unnamed/')));
  await expect(latest.page.locator('#name')).toHaveText('image.png');
  await expect.poll(() => namesOn(server), { message: 'the drags before it were ignored' }).toEqual(['image.png', 'red.png']);
  await expect(notices(latest)).toHaveCount(0);
  hasStayed(latest, `${server.url}/latest`);
});

test('a site that does not answer is given up', async ({ open, site }) => {
  const window = await open({ expectedHosts: [site.host], slowMessages: true });
  await window.dropData(imageDrag(site.at('/silent.png')));
  await expect(notices(window)).toHaveText(['Getting the photo…', COPY_IT]);
});

test.describe('with a small upload limit', () => {
  test.use({ serverOptions: ['--max-upload', '400'] });

  test('a photo over the limit is not fetched to its end', async ({ server, open, site }) => {
    const window = await open({ expectedHosts: [site.host], slowMessages: true });
    expect(red.bytes.length).toBeGreaterThan(400);
    await window.dropData(imageDrag(site.at('/open.png')));
    await says(window, 'open.png is too large: the limit is 400 bytes.');
    expect(await server.images()).toEqual([]);
  });
});

test('a photo copied as HTML is added if its site allows it, or else one sentence says how', async ({ open, site }) => {
  const window = await open({ expectedErrors: NOT_ALLOWED, expectedHosts: [site.host], slowMessages: true });
  const html = (path) => `<img src="${site.at(path)}" alt="A photo">`;
  expect(await window.pasteData({ 'text/html': html('/open.png') })).toBe(true);
  await window.shows('open.png');
  expect(await window.pasteData({ 'text/html': html('/closed.png'), 'text/plain': 'A photo' })).toBe(true);
  await says(window, COPY_IT);
  expect(await window.pasteData({ 'text/html': '<p>Some text</p>' })).toBe(true);
  await expect(notices(window)).toHaveText([COPY_IT, 'Nothing to add: copy the photo itself and paste it here.']);
  expect(await window.pasteData({ 'text/html': '<p>Some text</p>', 'text/plain': 'Some text' }), 'text').toBe(false);
  await window.shows('open.png');
});

test('what is pasted into a text field belongs to the field, even a cell that carries an image', async ({ server, open }) => {
  const { id } = await server.upload(red);
  const window = await open({ path: `/#image=${id}`, permissions: ['clipboard-read', 'clipboard-write'], slowMessages: true });
  const { page } = window;
  const description = page.getByRole('textbox', { name: 'Description' });
  await copy(window, { 'text/plain': 'Total 42', 'image/png': green.bytes });
  await description.focus();
  await page.keyboard.press('ControlOrMeta+v');
  await expect(description).toHaveValue('Total 42');
  await copy(window, { 'image/png': green.bytes });
  await page.keyboard.press('ControlOrMeta+v');
  await says(window, 'Photos can’t go in a text field: click outside it and paste again.');
  await expect(description).toHaveValue('Total 42');
  expect(await namesOn(server)).toEqual(['red.png']);
  await page.locator('.lightbox-stage').focus();
  await page.keyboard.press('ControlOrMeta+v');
  await expect.poll(() => namesOn(server), { message: 'pasted outside the field' }).toEqual(['image.png', 'red.png']);
});

/** Puts data on the clipboard of the browser, by MIME type. */
function copy({ page }, data) {
  const plain = Object.entries(data).map(([type, value]) => [type, typeof value === 'string' ? value : [...value]]);
  return page.evaluate((entries) => {
    const blobs = entries.map(([type, value]) => [type, new Blob([typeof value === 'string' ? value : new Uint8Array(value)], { type })]);
    return navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
  }, plain);
}

test('of a dropped folder everything is added that can be read, and the rest is named', async ({ open }) => {
  const paths = await writeFiles(red, green, { name: 'locked.png', bytes: red.bytes });
  const folder = join(dirname(paths[0]), 'holidays');
  await mkdir(join(folder, 'private'), { recursive: true });
  for (const [at, to] of ['red.png', 'green.png', 'locked.png'].entries()) await rename(paths[at], join(folder, to));
  // Tests may run as root, for whom nothing is locked.
  const window = await open({ prepare: (context) => context.addInitScript(lock), slowMessages: true });
  await window.drop([folder]);
  await window.shows('red.png', 'green.png');
  await expect(notices(window)).toHaveText([/^holidays\/(locked\.png|private) and holidays\/(locked\.png|private) could not be read\.$/]);
});

/** Makes the browser refuse to read the file `locked.png` and the folder `private`. */
function lock() {
  const { webkitGetAsEntry } = DataTransferItem.prototype;
  DataTransferItem.prototype.webkitGetAsEntry = function () {
    const entry = webkitGetAsEntry.call(this);
    const { createReader } = entry;
    entry.createReader = () => {
      const reader = createReader.call(entry);
      const { readEntries } = reader;
      reader.readEntries = (resolve, reject) => readEntries.call(reader, (children) => resolve(children.map(locked)), reject);
      return reader;
    };
    return entry;
  };
  const refuse = (_, reject) => reject(new DOMException('', 'NotReadableError'));
  const locked = (entry) => {
    if (entry.name === 'locked.png') entry.file = refuse;
    if (entry.name === 'private') entry.createReader = () => ({ readEntries: refuse });
    return entry;
  };
}
