import { expect, test } from './fixtures.js';
import { image } from './support/images.js';
import { SERVER_DOWN, eventually, pixelOf } from './support/window.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60], width: 200, height: 320 });
const blue = image('blue.png', { colour: [40, 60, 190] });
const path = '/latest';

/** Waits until this image is shown, by name and by its pixels, and no other. */
async function showsOnly({ page }, { name, colour }) {
  const img = page.locator('#images img');
  await eventually(async () => {
    expect(await img.count()).toBe(1);
    expect(await page.locator('#name').innerText()).toBe(name);
    expect(await pixelOf(img)).toEqual(colour);
  });
  await expect(img, 'the bytes came over the socket').toHaveAttribute('src', /^blob:/);
}

/** Waits until the page says that there is no image. */
async function isEmpty({ page }) {
  await expect(page.locator('html')).toHaveAttribute('data-state', 'empty');
}

test('an image dropped on /latest is shown in every window', async ({ open }) => {
  const [one, two] = [await open({ path }), await open({ path })];
  await isEmpty(one);
  await expect(one.page.getByText('Drop photos here')).toBeVisible();
  await one.drop([red], 640, 400);
  await showsOnly(one, red);
  await showsOnly(two, red);
  await one.choose(one.page.getByRole('button', { name: 'Choose photos' }), [green]);
  await showsOnly(one, green);
  await showsOnly(two, green);
});

test('a new window shows the image saved last, and a delete brings back the one before', async ({ server, open }) => {
  const first = await server.upload(red);
  const second = await server.upload(green);
  const third = await server.upload(blue);
  const window = await open({ path });
  await showsOnly(window, blue);
  await server.delete(third.id);
  await showsOnly(window, green);
  await server.delete(first.id);
  await server.delete(second.id);
  await isEmpty(window);
  await expect(window.page.locator('#images img')).toHaveCount(0);
  await server.upload(red);
  await showsOnly(window, red);
});

test('all valid files of a drop are stored, and the refused one says why, by name', async ({ server, open }) => {
  const window = await open({ path, expectedErrors: [/status of 415/] });
  await window.drop([red, { name: 'notes.png', bytes: 'This is not an image.' }, blue]);
  const line = window.page.locator('.upload[data-state=failed]');
  await expect(line).toHaveText(/notes\.png/);
  await expect.poll(async () => (await server.images()).map(({ fileName }) => fileName).sort()).toEqual(['blue.png', 'red.png']);
  await line.getByRole('button', { name: 'Dismiss notes.png' }).click();
  await expect(window.page.locator('.upload')).toHaveCount(0);
});

test('/latest reconnects after the server was killed, and shows what is the latest then', async ({ server, open }) => {
  await server.upload(red);
  const window = await open({ path, expectedErrors: SERVER_DOWN });
  await showsOnly(window, red);
  await server.kill();
  await expect(window.page.getByText('Connection lost').first()).toBeVisible();
  await server.start();
  await server.upload(green);
  await window.ready();
  await showsOnly(window, green);
});
