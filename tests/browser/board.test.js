import assert from 'node:assert/strict';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { placeOf, settledBox } from './helpers/board.js';
import { Window, eventually, launch } from './helpers/browser.js';
import { onDisk, picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const red = picture('red.png', { colour: [190, 40, 40] });
const green = picture('green.png', { colour: [30, 140, 60], width: 200, height: 320 });
const blue = picture('blue.png', { colour: [40, 60, 190], width: 300, height: 300 });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

const open = (options) => Window.open(browser, `${server.url}/`, options);

test('a picture dropped in one window is seen in two others, where it was dropped', async () => {
  const [one, two, three] = [await open(), await open(), await open()];
  await one.drop(await onDisk(red), 500, 300);
  for (const window of [one, two, three]) {
    await window.shows('red.png');
    await window.paints('red.png', red.colour);
    const box = await window.boxOf(window.picture('red.png'));
    assert.ok(Math.abs(box.x + box.width / 2 - 500) < 2, `it lies around 500, not ${box.x + box.width / 2}`);
    assert.ok(Math.abs(box.y + box.height / 2 - 300) < 2, `it lies around 300, not ${box.y + box.height / 2}`);
  }
  for (const window of [one, two, three]) await window.close();
});

test('a picture deleted in one window goes in the others, and the board is empty again', async () => {
  await server.upload(red);
  const [one, two] = [await open(), await open()];
  await one.shows('red.png');
  await two.shows('red.png');
  await one.picture('red.png').hover();
  await one.page.getByRole('button', { name: 'Delete red.png' }).click();
  for (const window of [one, two]) {
    await window.shows();
    await window.page.getByRole('heading', { name: 'Drop photos here' }).waitFor();
  }
  assert.deepEqual(await server.images(), []);
  for (const window of [one, two]) await window.close();
});

test('several pictures dropped at once all come, in a tidy grid', async () => {
  const more = [1, 2, 3, 4].map((at) => picture(`${at}.png`, { width: 100 * at, height: 150 }));
  const [one, two] = [await open(), await open()];
  await one.drop(await onDisk(red, green, blue, ...more), 400, 300);
  for (const window of [one, two]) await window.shows('red.png', 'green.png', 'blue.png', ...more.map(({ name }) => name));
  const images = await server.images();
  const rows = new Set(images.map(({ y }) => y)).size;
  assert.ok(rows > 1 && rows < 4, `they lie in rows, not ${rows}`);
  for (const a of images) {
    for (const b of images) assert.ok(a === b || !overlap(a, b), `${a.fileName} lies over ${b.fileName}`);
  }
  const heights = images.map(({ w, width, height }) => Math.round((w * height) / width));
  assert.equal(new Set(heights).size, 1, `the rows have one height: ${heights}`);
  for (const window of [one, two]) await window.close();
});

test('every picture in a dropped folder comes', async () => {
  const paths = await onDisk(red, green, { name: '.DS_Store', bytes: 'clutter' });
  const folder = join(dirname(paths[0]), 'holidays');
  await mkdir(join(folder, 'deeper'), { recursive: true });
  await rename(paths[0], join(folder, 'red.png'));
  await rename(paths[1], join(folder, 'deeper', 'green.png'));
  await rename(paths[2], join(folder, '.DS_Store'));
  const window = await open();
  await window.drop([folder]);
  await window.shows('red.png', 'green.png');
  assert.equal(await window.page.locator('.upload[data-state=failed]').count(), 0);
  await window.close();
});

test('pictures chosen in the picker come into the middle', async () => {
  const window = await open();
  await window.choose(window.page.getByRole('button', { name: 'Choose photos' }), await onDisk(red));
  await window.shows('red.png');
  const box = await window.boxOf(window.picture('red.png'));
  assert.ok(Math.abs(box.x + box.width / 2 - 640) < 2, `it lies in the middle, not at ${box.x}`);
  await window.choose(window.page.getByRole('button', { name: 'Add photos' }), await onDisk(green, blue));
  await window.shows('red.png', 'green.png', 'blue.png');
  await window.close();
});

test('a picture pasted from the clipboard comes', async () => {
  const window = await open();
  await window.page.evaluate((bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], 'image.png', { type: 'image/png' }));
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  }, [...blue.bytes]);
  await window.shows('image.png');
  await window.paints('image.png', blue.colour);
  await window.close();
});

test('a new tab shows what there is', async () => {
  await server.upload(red, { x: -300, y: -200 });
  await server.upload(green, { x: 2000, y: 900, w: 120 });
  const window = await open();
  await window.shows('red.png', 'green.png');
  await window.paints('red.png', red.colour);
  await window.paints('green.png', green.colour);
  for (const name of ['red.png', 'green.png']) {
    const { x, y, width, height } = await window.boxOf(window.picture(name));
    assert.ok(x >= 0 && y >= 0 && x + width <= 1280 && y + height <= 800, `${name} is in view: ${[x, y, width, height]}`);
  }
  await window.close();
});

test('each window tells how many are here', async () => {
  const one = await open();
  const two = await open();
  for (const window of [one, two]) await window.page.getByText('Live · 2 here').waitFor();
  await two.close();
  await eventually(async () => assert.equal(await one.page.locator('#connection').innerText(), 'Live'));
  await one.close();
});

test('a hostile file name is shown as it is, and does nothing', async () => {
  const name = `<img src=x onerror=alert(1)> "'🦊\u202e ../x.png`;
  await server.upload(red, { fileName: name });
  const window = await open();
  await eventually(async () => assert.equal(await window.page.locator('.tile').count(), 1));
  const [{ fileName }] = await server.images();
  assert.equal(await window.page.locator('.tile [data-name]').textContent(), fileName);
  assert.equal(await window.page.locator('.tile img').count(), 1);
  await window.close();
});

test('a picture that one person drags is seen moving by another, and ends at the same place for both', async () => {
  const { id } = await server.upload(red, { x: -120, y: -75, w: 240 });
  await server.upload(green, { x: 300, y: 100, w: 100 });
  const [one, two] = [await open(), await open()];
  await one.page.getByRole('button', { name: 'Actual size' }).click();
  await two.shows('red.png', 'green.png');
  const start = await settledBox(one, 'red.png');
  const elsewhere = await two.boxOf(two.picture('red.png'));
  await one.page.mouse.move(start.x + 100, start.y + 60);
  await one.page.mouse.down();
  await one.page.mouse.move(start.x + 200, start.y + 60, { steps: 5 });
  await eventually(async () => {
    const now = await two.boxOf(two.picture('red.png'));
    assert.ok(now.x > elsewhere.x + 40, 'it moves while the button is still down');
  });
  await one.page.mouse.move(start.x + 220, start.y + 100, { steps: 3 });
  await one.page.mouse.up();
  await eventually(async () => {
    const image = (await server.images()).find((each) => each.id === id);
    assert.deepEqual([image.x, image.y], [0, -35]);
  });
  for (const window of [one, two]) {
    await eventually(async () => assert.deepEqual(await placeOf(window, 'red.png'), { x: 0, y: -35, width: 240 }));
  }
  const ranks = await one.page.locator('.tile').evaluateAll((tiles) => tiles.map((tile) => [tile.innerText.trim(), Number(tile.style.zIndex)]));
  const rank = Object.fromEntries(ranks);
  assert.ok(rank['red.png'] > rank['green.png'], 'what was picked up came to the front');
  for (const window of [one, two]) await window.close();
});

test('two people who drag the same picture end with the same place', async () => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const [one, two] = [await open(), await open()];
  for (const window of [one, two]) {
    const box = await settledBox(window, 'red.png');
    await window.page.mouse.move(box.x + 50, box.y + 50);
    await window.page.mouse.down();
  }
  for (let step = 1; step <= 8; step += 1) {
    await one.page.mouse.move(600 + step * 20, 400);
    await two.page.mouse.move(600, 400 - step * 20);
  }
  await Promise.all([one.page.mouse.up(), two.page.mouse.up()]);
  await eventually(async () => {
    const [{ x, y }] = await server.images();
    for (const window of [one, two]) {
      const place = await placeOf(window, 'red.png');
      assert.deepEqual([place.x, place.y], [x, y]);
      assert.equal(await window.page.locator('.tile.is-held').count(), 0);
    }
  });
  for (const window of [one, two]) await window.close();
});

test('Escape puts a dragged picture back', async () => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await open();
  const box = await settledBox(window, 'red.png');
  await window.page.mouse.move(box.x + 50, box.y + 50);
  await window.page.mouse.down();
  await window.page.mouse.move(box.x + 150, box.y + 90, { steps: 4 });
  await eventually(async () => assert.notEqual((await server.images())[0].x, -120));
  await window.page.keyboard.press('Escape');
  await window.page.mouse.up();
  await eventually(async () => {
    const [{ x, y }] = await server.images();
    assert.deepEqual([x, y], [-120, -75]);
  });
  await eventually(async () => assert.deepEqual(await placeOf(window, 'red.png'), { x: -120, y: -75, width: 240 }));
  await window.close();
});

test('the corner resizes a picture, its shape kept', async () => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const [one, two] = [await open(), await open()];
  await one.picture('red.png').hover();
  const handle = one.page.getByRole('slider', { name: 'Width of red.png' });
  const { x, y, width, height } = await one.boxOf(handle);
  await one.page.mouse.move(x + width / 2, y + height / 2);
  await one.page.mouse.down();
  await one.page.mouse.move(x + width / 2 + 80, y + height / 2 + 50, { steps: 4 });
  await one.page.mouse.up();
  await eventually(async () => {
    const [image] = await server.images();
    assert.deepEqual([image.x, image.y, image.w], [-120, -75, 320]);
  });
  for (const window of [one, two]) {
    await eventually(async () => {
      const box = await window.boxOf(window.picture('red.png'));
      assert.deepEqual([Math.round(box.width), Math.round(box.height)], [320, 200]);
    });
  }
  for (const window of [one, two]) await window.close();
});

test('the board pans and zooms: by dragging, wheel, ctrl and wheel, and the buttons', async () => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await open();
  const { page } = window;
  const start = await settledBox(window, 'red.png');
  await page.mouse.move(100, 500);
  await page.mouse.down();
  await page.mouse.move(160, 530, { steps: 3 });
  await page.mouse.up();
  await eventually(async () => assert.deepEqual(await corner(window), [start.x + 60, start.y + 30]));
  await page.mouse.wheel(60, 30);
  await eventually(async () => assert.deepEqual(await corner(window), [start.x, start.y]));
  await page.mouse.move(start.x, start.y);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -40);
  await page.keyboard.up('Control');
  await eventually(async () => {
    const box = await window.boxOf(window.picture('red.png'));
    assert.ok(box.width > 300, `it is larger: ${box.width}`);
    assert.ok(Math.abs(box.x - start.x) < 1, 'what lies under the pointer stays there');
  });
  await page.getByRole('button', { name: 'Actual size' }).click();
  await eventually(async () => assert.equal(Math.round((await window.boxOf(window.picture('red.png'))).width), 240));
  await page.getByRole('button', { name: 'Zoom out' }).click();
  await eventually(async () => assert.equal(Math.round((await window.boxOf(window.picture('red.png'))).width), 192));
  await page.mouse.wheel(4000, 4000);
  await page.getByRole('button', { name: 'Show everything' }).click();
  await eventually(async () => {
    const box = await window.boxOf(window.picture('red.png'));
    assert.ok(box.x > 0 && box.x + box.width < 1280 && Math.round(box.width) === 240, 'it is in view again');
  });
  await window.close();
});

test('only what is near the view is in the document, and a reload shows the same part', async () => {
  for (let at = 0; at < 40; at += 1) {
    await server.upload(picture(`${at}.png`, { width: 20, height: 20, colour: [at * 5, 90, 90] }), { x: at * 600, y: 0, w: 200 });
  }
  const window = await open();
  const { page } = window;
  const count = () => page.locator('.tile').count();
  await page.getByRole('button', { name: 'Show everything' }).click();
  await eventually(async () => assert.equal(await count(), 40));
  await page.getByRole('button', { name: 'Actual size' }).click();
  await eventually(async () => assert.ok((await count()) < 15, `${await count()} of 40`));
  const { x } = await settledBox(window, '19.png');
  await page.mouse.move(640, 400);
  await page.mouse.wheel(300, 0);
  await eventually(async () => assert.equal((await window.boxOf(window.picture('19.png'))).x, x - 300));
  const before = await inView(window);
  assert.notDeepEqual(before, []);
  await page.reload();
  await window.ready();
  await eventually(async () => assert.deepEqual(await inView(window), before));
  await window.close();
});

/** The names in view, in their order on the screen. */
async function inView({ page }) {
  return page.locator('.tile[data-id]').evaluateAll((tiles) =>
    tiles
      .filter((tile) => tile.getBoundingClientRect().right > 0 && tile.getBoundingClientRect().left < innerWidth)
      .map((tile) => `${tile.innerText.trim()} at ${Math.round(tile.getBoundingClientRect().left)}`),
  );
}

async function corner(window) {
  const { x, y } = await window.boxOf(window.picture('red.png'));
  return [x, y];
}

function overlap(a, b) {
  const bottom = (image) => image.y + (image.w * image.height) / image.width;
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < bottom(b) && b.y < bottom(a);
}
