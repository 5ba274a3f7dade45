import { expect, test } from './fixtures.js';
import { announces, hasFocus } from './support/board.js';
import { image } from './support/images.js';
import { SERVER_DOWN } from './support/window.js';

const REFUSED = [/Failed to load resource: the server responded with a status of 4\d\d/];
const red = image('red.png', { colour: [190, 40, 40] });
const text = { name: 'notes.png', bytes: 'This is not an image.' };

test('a text file called .png is refused with its name and the reason, in the tray', async ({ server, open }) => {
  const window = await open({ expectedErrors: REFUSED });
  await window.drop([text], 300, 250);
  const card = window.page.locator('.upload[data-state=failed]');
  await expect(card).toHaveText(/notes\.png/);
  await expect(card).toHaveText(/PNG|image|photo/i);
  await expect(card.locator('[data-words]'), 'the reason is a sentence').toHaveText(/^[A-Z].{10,}[.!]$/s);
  await expect(card.getByRole('button', { name: 'again' }), 'trying again makes no sense').toHaveCount(0);
  await announces(window, /notes\.png could not be added/);
  await card.getByRole('button', { name: 'Dismiss notes.png' }).click();
  await expect(window.page.getByRole('heading', { name: 'Drop photos here' })).toBeVisible();
  expect(await server.images()).toEqual([]);
});

test('the tray says how far all uploads are, and cancels them all', async ({ server, open }) => {
  const window = await open();
  await window.page.route('**/image', () => {});
  const photos = Array.from({ length: 5 }, (_, at) => image(`${at}.png`, { colour: [40 * at, 90, 160] }));
  await window.drop(photos, 300, 250);
  const tray = window.page.getByRole('region', { name: 'Uploads' });
  const toggle = tray.getByRole('button', { name: 'Adding 1 of 5' });
  await expect(toggle).toHaveAttribute('aria-expanded', 'false');
  await expect(window.page.locator('.placeholder')).toHaveCount(5);
  await toggle.click();
  await expect(tray.getByText('3.png')).toBeVisible();
  await tray.getByRole('button', { name: 'Cancel 3.png' }).click();
  await expect(tray.getByRole('button', { name: 'Adding 1 of 4' })).toBeVisible();
  await expect(window.page.locator('.placeholder')).toHaveCount(4);
  await tray.getByRole('button', { name: 'Cancel all' }).click();
  await expect(tray).toBeHidden();
  await expect(window.page.locator('.placeholder')).toHaveCount(0);
  await expect(window.page.getByRole('heading', { name: 'Drop photos here' })).toBeVisible();
  expect(await server.images()).toEqual([]);
});

test('a refused file does not hold up the others', async ({ open }) => {
  const window = await open({ expectedErrors: REFUSED });
  await window.drop([text, red, { name: 'empty.png', bytes: '' }]);
  await window.shows('red.png');
  await expect(window.page.locator('.upload[data-state=failed]')).toHaveCount(2);
  await expect(window.page.getByRole('button', { name: '2 not added' })).toHaveAttribute('aria-expanded', 'true');
  await window.page.getByRole('button', { name: 'Dismiss notes.png' }).press('Enter');
  await hasFocus(window, 'Dismiss empty.png');
  await window.page.getByRole('button', { name: 'Dismiss empty.png' }).click();
  await expect(window.page.locator('#uploads')).toBeHidden();
});

test('a file over the limit is refused with the limit', async ({ open }) => {
  const window = await open({ expectedErrors: REFUSED });
  await window.drop([{ name: 'huge.png', bytes: Buffer.concat([red.bytes, Buffer.alloc(17 << 20)]) }]);
  const card = window.page.locator('.upload[data-state=failed]');
  await expect(card).toHaveText(/huge\.png/);
  await expect(card).toContainText('Too large: the limit is 16 MB.');
});

test('an upload is sent again to a busy server, and stored once', async ({ server, open }) => {
  const window = await open({ expectedErrors: [/status of 503/, /ERR_CONNECTION_RESET/] });
  let busy = 2;
  const ids = [];
  await window.page.route('**/image', async (route) => {
    ids.push(idOf(route.request()));
    if (busy-- === 0) return route.continue();
    if (busy === 1) return route.abort('connectionreset');
    const body = JSON.stringify({ title: 'Service Unavailable', status: 503, detail: 'the database cannot be reached' });
    return route.fulfill({ status: 503, headers: { 'Retry-After': '1', 'Content-Type': 'application/problem+json' }, body });
  });
  await window.drop([red]);
  await expect(window.page.locator('.upload[data-state=paused]')).toBeAttached();
  await window.shows('red.png');
  await expect(window.page.locator('.upload')).toHaveCount(0);
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size, 'each attempt has the same id').toBe(1);
  expect((await server.images()).map(({ id }) => id)).toEqual([ids[0]]);
});

test('an upload over the limit of its address is sent until there is room', async ({ server, open }) => {
  const window = await open({ expectedErrors: [/status of 429/] });
  const { clock } = window.page;
  await clock.install();
  let refused = 0;
  await window.page.route('**/image', async (route) => {
    if (refused === 8) return route.continue();
    refused += 1;
    const body = JSON.stringify({ title: 'Too Many Requests', status: 429, detail: 'Too many photos at once.' });
    return route.fulfill({ status: 429, headers: { 'Retry-After': '2', 'Content-Type': 'application/problem+json' }, body });
  });
  await window.drop([red]);
  await expect(async () => {
    await clock.runFor(5_000);
    expect(await server.images()).toHaveLength(1);
  }).toPass();
  expect(refused).toBe(8);
  await window.shows('red.png');
});

test('an upload that lost its server waits, and resumes when the server is back', async ({ server, open }) => {
  const window = await open({ expectedErrors: SERVER_DOWN });
  await server.kill();
  await window.drop([red]);
  await expect(window.page.locator('.upload[data-state=offline]')).toBeAttached();
  await server.start();
  await window.shows('red.png');
  // The feed may send the image before the upload is answered.
  await expect(window.page.locator('.upload')).toHaveCount(0);
  expect(await server.images()).toHaveLength(1);
});

test('an upload that cannot get through says so and can be tried again', async ({ server, open }) => {
  const window = await open({ expectedErrors: [/ERR_CONNECTION_RESET/] });
  const { clock } = window.page;
  await clock.install();
  await window.page.route('**/image', (route) => route.abort('connectionreset'));
  await window.drop([red]);
  const retry = window.page.getByRole('button', { name: 'Try red.png again' });
  await expect(async () => {
    await clock.runFor(10_000);
    await expect(retry).toBeVisible({ timeout: 200 });
  }).toPass();
  await expect(window.page.locator('.upload')).toHaveText(/could not be reached/);
  await window.page.unroute('**/image');
  await retry.click();
  await expect
    .poll(async () => {
      await clock.runFor(1_000);
      return server.images();
    })
    .toHaveLength(1);
});

test('the page says clearly what a proxy refuses, whose own words are HTML', async ({ server, open }) => {
  const window = await open({ expectedErrors: REFUSED });
  const html = { contentType: 'text/html', body: '<html><center><h1>413 Request Entity Too Large</h1></center></html>' };
  await window.page.route('**/image', (route) => route.fulfill({ status: 413, ...html }));
  await window.drop([red]);
  const card = window.page.locator('.upload[data-state=failed]');
  await expect(card.locator('[data-words]')).toHaveText('Too large: a server in between refused it.');
  await expect(card.getByRole('button', { name: 'again' })).toHaveCount(0);
  await card.getByRole('button', { name: 'Dismiss' }).click();
  await window.page.unroute('**/image');
  await window.page.route('**/image', (route) => route.fulfill({ status: 403, ...html }));
  await window.drop([red]);
  await expect(card.locator('[data-words]')).toHaveText('A server in between refused it (403).');
  expect(await server.images()).toEqual([]);
});

test('a proxy that cannot reach the server is asked again, and then the upload can be', async ({ server, open }) => {
  const window = await open({ expectedErrors: [/status of 50[24]/] });
  const { clock } = window.page;
  await clock.install();
  let attempts = 0;
  await window.page.route('**/image', (route) => {
    attempts += 1;
    return route.fulfill({ status: attempts % 2 ? 502 : 504, contentType: 'text/html', body: '<html><h1>Bad Gateway</h1></html>' });
  });
  await window.drop([red]);
  const retry = window.page.getByRole('button', { name: 'Try red.png again' });
  await expect(async () => {
    await clock.runFor(10_000);
    await expect(retry).toBeVisible({ timeout: 200 });
  }).toPass();
  expect(attempts).toBeGreaterThan(1);
  await expect(window.page.locator('.upload [data-words]')).toHaveText('The server could not be reached.');
  await window.page.unroute('**/image');
  await retry.click();
  await expect
    .poll(async () => {
      await clock.runFor(1_000);
      return server.images();
    })
    .toHaveLength(1);
});

test('an image can be added on plain HTTP, where browsers withhold randomUUID, subtle and the clipboard', async ({ open }) => {
  const window = await open({
    prepare: (context) =>
      context.addInitScript(() => {
        Reflect.deleteProperty(Crypto.prototype, 'randomUUID');
        Reflect.deleteProperty(Crypto.prototype, 'subtle');
        Reflect.deleteProperty(Navigator.prototype, 'clipboard');
      }),
  });
  expect(await window.page.evaluate(() => crypto.randomUUID ?? crypto.subtle ?? navigator.clipboard)).toBeUndefined();
  await window.drop([red]);
  await window.shows('red.png');
});

test('the ids of uploads are ascending UUIDs of version 7', async ({ open }) => {
  const window = await open();
  const before = Date.now();
  const ids = await window.page.evaluate(async () => {
    const { uuidv7 } = await import(/** @type {any} */ ('/static/js/upload/uuid.js'));
    return Array.from({ length: 10_000 }, () => uuidv7());
  });
  expect(ids).toEqual([...new Set(ids)].sort());
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const milliseconds = parseInt(ids[0].replace('-', '').slice(0, 12), 16);
  expect(milliseconds, 'it begins with the time').toBeGreaterThanOrEqual(before);
  expect(milliseconds, 'it begins with the time').toBeLessThanOrEqual(Date.now());
});

/** The `id` field of an upload's form, of a request that is intercepted: of others the browser gives no body. */
function idOf(request) {
  return request.postDataBuffer().toString('latin1').match(/name="id"\r\n\r\n([0-9a-f-]+)\r\n/)[1];
}

for (const [direction, days] of Object.entries({ ahead: 365, behind: -365 })) {
  test(`the ids of uploads have the time of the server although the clock of the device is a year ${direction}`, async ({ server, open }) => {
    const prepare = (context) =>
      context.addInitScript((wrong) => {
        const { now } = Date;
        Date.now = () => now() + wrong;
      }, days * 86_400_000);
    const window = await open({ prepare });
    const before = Date.now();
    await window.drop([red]);
    await window.shows('red.png');
    const [{ id }] = await server.images();
    const milliseconds = parseInt(id.replace('-', '').slice(0, 12), 16);
    expect(Math.abs(milliseconds - before)).toBeLessThan(60_000);
  });
}

test('after more files than the server reserves placements for were canceled, one more is added', async ({ server, open }) => {
  const window = await open();
  const { page } = window;
  await page.route('**/image', () => {});
  const photos = Array.from({ length: 130 }, (_, at) => image(`${at}.png`, { width: 20 + at, height: 20 }));
  await window.choose(page.getByRole('button', { name: 'Choose photos' }), photos);
  await expect(page.locator('.placeholder')).toHaveCount(100);
  await page.getByRole('button', { name: 'Cancel all' }).click();
  await expect(page.locator('.placeholder')).toHaveCount(0);
  await page.unroute('**/image');
  await window.drop([red]);
  await window.shows('red.png');
  await expect(page.locator('#uploads')).toBeHidden();
  expect(await server.images()).toHaveLength(1);
});
