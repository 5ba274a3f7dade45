import { networkInterfaces } from 'node:os';
import { expect, test as base } from './fixtures.js';
import { image } from './support/images.js';
import { Server } from './support/server.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60], width: 1200, height: 900 });

/** This machine as others in its network see it, which is no secure context. `board.test` stands for it where there is no network. */
const host = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? 'board.test';

const test = base.extend({
  server: async ({}, use) => {
    const server = await Server.start({ listen: '0.0.0.0:0', options: ['--open'] });
    await use(server);
    await server.stop();
  },
});

test('guests on plain HTTP in a local network add, see, move and delete images, and duplicates are pointed out', async ({ server, open }) => {
  const url = `http://${host}:${new URL(server.url).port}/`;
  const expectedErrors = [/Cross-Origin-Opener-Policy|untrustworthy/];
  const [one, two] = [await open({ url, expectedErrors }), await open({ url, expectedErrors })];
  const { secure, subtle } = await one.page.evaluate(() => ({ secure: isSecureContext, subtle: typeof crypto.subtle }));
  expect({ secure, subtle }).toEqual({ secure: false, subtle: 'undefined' });

  await one.drop([red, green], 500, 350);
  for (const window of [one, two]) {
    await window.shows('red.png', 'green.png');
    await window.paints('red.png', red.colour);
  }
  await two.drop([{ ...red, name: 'again.png' }], 900, 600);
  await expect(two.page.locator('.upload[data-state=duplicate]').getByText('Already on the board as “red.png”.')).toBeVisible();
  expect(two.requests.filter((each) => each.endsWith('/hash-worker.js')), 'the worker is loaded').not.toEqual([]);
  await two.page.getByRole('button', { name: 'Dismiss again.png' }).click();

  await two.paste(image('pasted.png', { colour: [40, 60, 190] }));
  for (const window of [one, two]) await window.shows('red.png', 'green.png', 'pasted.png');

  const { x } = await server.image('red.png');
  await one.tile('red.png').locator('[data-image]').focus();
  await one.page.keyboard.press('Alt+ArrowLeft');
  await expect.poll(async () => (await server.image('red.png')).x).toBeLessThan(x);
  await one.page.keyboard.press('Delete');
  for (const window of [one, two]) await window.shows('green.png', 'pasted.png');
});
