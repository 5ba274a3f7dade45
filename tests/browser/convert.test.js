// Formats that only the page can convert, and photos over the limit.

import { expect, test } from './fixtures.js';
import { image } from './support/images.js';

const REFUSED = [/Failed to load resource: the server responded with a status of 4\d\d/];
const red = image('red.png', { colour: [190, 40, 40] });

test('a BMP is converted to JPEG before it is sent, whatever its name', async ({ server, open }) => {
  const [one, two] = [await open(), await open()];
  await one.drop([{ name: 'scan.bmp', bytes: bmp(64, 48, [190, 40, 40]) }], 400, 300);
  await two.shows('scan.jpg');
  await one.drop([{ name: 'renamed.png', bytes: bmp(64, 48, [30, 140, 60]) }], 700, 300);
  await two.shows('scan.jpg', 'renamed.jpg');
  const images = await server.images();
  expect(images.map(({ type, width, height }) => [type, width, height])).toEqual([
    ['image/jpeg', 64, 48],
    ['image/jpeg', 64, 48],
  ]);
});

test('a transparent BMP is converted on white', async ({ server, open }) => {
  const window = await open();
  const bytes = bmp(16, 16, [0, 0, 0], 0);
  // One opaque pixel: Chromium ignores the alpha of a BMP in which it is 0 throughout.
  bytes[bytes.length - 1] = 255;
  await window.drop([{ name: 'clear.bmp', bytes }]);
  await window.shows('clear.jpg');
  const [{ id }] = await server.images();
  const pixel = await window.page.evaluate(async (url) => {
    const bitmap = await createImageBitmap(await (await fetch(url)).blob());
    const context = new OffscreenCanvas(16, 16).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    return [...context.getImageData(8, 8, 1, 1).data];
  }, `/image/${id}`);
  expect(pixel).toEqual([255, 255, 255, 255]);
});

test('a format that the browser cannot decode is refused with advice, and never sent', async ({ server, open }) => {
  const window = await open();
  const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(200)]);
  const tiff = Buffer.concat([Buffer.from('II*\0'), Buffer.alloc(200)]);
  await window.drop([{ name: 'IMG_0001.jpg', bytes: heic }, { name: 'scan.tif', bytes: tiff }]);
  const card = (name) => window.page.locator('.upload[data-state=failed]').filter({ hasText: name });
  await expect(card('IMG_0001.jpg')).toContainText(
    'HEIC: on the iPhone choose Settings › Camera › Formats › Most Compatible.',
  );
  await expect(card('scan.tif')).toContainText('TIFF: save the photo as JPEG or PNG and add it again.');
  expect(window.requests.filter((url) => url.endsWith('/image'))).toEqual([]);
  expect(await server.images()).toEqual([]);
});

test.describe('with a small limit', () => {
  test.use({ serverOptions: ['--max-upload', '20KiB'] });

  test('one click shrinks a photo over the limit and adds it', async ({ server, open }) => {
    const [window, other] = [await open(), await open()];
    const large = await noise(window, 'large.jpg', 'image/jpeg', 300, 180);
    expect(large.bytes.length).toBeGreaterThan(20 << 10);
    await window.drop([large], 500, 300);
    const card = window.page.locator('.upload[data-state=failed]');
    await expect(card).toContainText('Too large: the limit is 20 KB.');
    expect(window.requests.filter((url) => url.endsWith('/image')), 'nothing is sent in vain').toEqual([]);
    await card.getByRole('button', { name: 'Shrink and add large.jpg' }).click();
    await other.shows('large.jpg');
    const [{ size, width, height }] = await server.images();
    expect(size).toBeLessThanOrEqual(20 << 10);
    expect(Math.abs(width / height - 300 / 180), `${width} × ${height}`).toBeLessThan(0.02);
  });

  test('several photos over the limit are shrunk at once', async ({ server, open }) => {
    const window = await open();
    const files = [
      await noise(window, 'a.jpg', 'image/jpeg', 300, 180),
      await noise(window, 'b.png', 'image/png', 120, 90),
    ];
    await window.drop([...files, red]);
    await window.page.getByRole('button', { name: 'Shrink and add 2' }).click();
    await window.shows('a.jpg', 'b.webp', 'red.png');
    for (const { size } of await server.images()) expect(size).toBeLessThanOrEqual(20 << 10);
  });

  test('a GIF over the limit is refused, since shrinking would stop its animation', async ({ open }) => {
    const window = await open({ expectedErrors: REFUSED });
    await window.drop([{ name: 'large.gif', bytes: Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(40 << 10)]) }]);
    const card = window.page.locator('.upload[data-state=failed]');
    await expect(card).toContainText('Too large: the limit is 20 KB.');
    await expect(card.getByRole('button', { name: 'Shrink' })).toHaveCount(0);
  });
});

test.describe('with a small limit on pixels', () => {
  test.use({ serverOptions: ['--max-pixels', '10000'] });

  test('a photo with too many pixels is shrunk and added', async ({ server, open }) => {
    const window = await open({ expectedErrors: REFUSED });
    await window.drop([image('wide.png', { width: 320, height: 200 })], 500, 300);
    const card = window.page.locator('.upload[data-state=failed]');
    await expect(card).toContainText('320 × 200');
    await card.getByRole('button', { name: 'Shrink and add wide.png' }).click();
    await window.shows('wide.webp');
    const [{ width, height }] = await server.images();
    expect(width * height).toBeLessThanOrEqual(10_000);
    expect(Math.abs(width / height - 320 / 200), `${width} × ${height}`).toBeLessThan(0.05);
  });

  test('a damaged photo is refused without an offer to shrink it', async ({ open }) => {
    const window = await open({ expectedErrors: REFUSED });
    await window.drop([{ name: 'cut.png', bytes: red.bytes.subarray(0, 20) }], 500, 300);
    const card = window.page.locator('.upload[data-state=failed]');
    await expect(card).toContainText('truncated');
    await expect(card.getByRole('button', { name: 'Shrink' })).toHaveCount(0);
  });
});

test('/latest converts and shrinks too', async ({ open }) => {
  const window = await open({ path: '/latest' });
  await window.drop([{ name: 'scan.bmp', bytes: bmp(64, 48, [190, 40, 40]) }]);
  await expect(window.page.locator('#name')).toHaveText('scan.jpg');
});

test('a damaged photo is marked in the lightbox and on its tile', async ({ server, open }) => {
  // Without its end, the checksum of the file.
  const { bytes } = red;
  await server.upload({ ...red, bytes: bytes.subarray(0, bytes.length - 5) });
  const window = await open();
  await window.shows('red.png');
  const note = 'Damaged: part of this photo may be missing';
  await expect(window.page.locator('.tile')).toHaveAttribute('title', note);
  await window.page.locator('.tile').dblclick();
  await expect(window.page.locator('#lightbox').getByText(note)).toBeVisible();
});

/**
 * A BMP of one colour: 24 bits per pixel, or 32 with `alpha` (a BITMAPV4HEADER).
 * @param {number} width
 * @param {number} height
 * @param {number[]} colour Red, green and blue.
 * @param {number} [alpha]
 */
function bmp(width, height, [red, green, blue], alpha) {
  const headerSize = alpha === undefined ? 40 : 108;
  const pixel = alpha === undefined ? [blue, green, red] : [blue, green, red, alpha];
  const row = Math.ceil((width * pixel.length) / 4) * 4;
  const header = Buffer.alloc(14 + headerSize);
  header.write('BM');
  header.writeUInt32LE(header.length + row * height, 2);
  header.writeUInt32LE(header.length, 10);
  header.writeUInt32LE(headerSize, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(pixel.length * 8, 28);
  if (alpha !== undefined) {
    header.writeUInt32LE(3, 30); // BI_BITFIELDS: the masks follow.
    [0x00ff0000, 0x0000ff00, 0x000000ff, 0xff000000].forEach((mask, at) => header.writeUInt32LE(mask, 54 + at * 4));
    header.write('BGRs', 70); // sRGB.
  }
  const rows = Buffer.alloc(row * height);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) rows.set(pixel, y * row + x * pixel.length);
  return Buffer.concat([header, rows]);
}

/** A photo of noise, which is hard to compress, encoded by the browser. */
async function noise(window, name, type, width, height) {
  const bytes = await window.page.evaluate(
    async ([type, width, height]) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext('2d');
      const pixels = context.createImageData(width, height);
      for (let at = 0; at < pixels.data.length; at += 1) pixels.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
      context.putImageData(pixels, 0, 0);
      const blob = await canvas.convertToBlob({ type, quality: 0.95 });
      return [...new Uint8Array(await blob.arrayBuffer())];
    },
    /** @type {[string, number, number]} */ ([type, width, height]),
  );
  return { name, bytes: Buffer.from(bytes) };
}
