import { expect, test } from './fixtures.js';
import { image } from './support/images.js';

const ROUNDS = 3;
/** Images in a round. `GROWTH_COUNT=1000` adds and deletes 3,000 after the first round; set `--timeout 0`, too. */
const COUNT = Number(process.env.GROWTH_COUNT ?? 40);
/** Above the count after the first round, which sets up what a page needs once. */
const TOLERANCE = 1.1;

// Deleted images soon free their placements for those of the next round.
test.use({ serverOptions: ['--undo-window', '1s'] });

test('a page does not grow while others add and delete images just outside its view', async ({ server, open }) => {
  const window = await open();
  const { page } = window;
  await page.mouse.move(640, 400);
  await page.mouse.wheel(0, 700); // The browser does not load what lies out of view.
  await window.settled();
  const devtools = await window.context.newCDPSession(page);
  const counts = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters');
    return { nodes, listeners: jsEventListeners };
  };

  const round = async (number) => {
    const files = Array.from({ length: COUNT }, (_, at) => image(`${number} ${at}.png`, { width: 24, height: 16, colour: [at % 256, number * 50, 90 + (at >> 8)] }));
    // A window of its own, whose view has not followed other images.
    const other = await open();
    await other.drop(files, 640, 420);
    await expect.poll(async () => (await server.images()).length, { timeout: 120_000 }).toBe(COUNT);
    await expect(window.tiles().nth(5)).toBeAttached();
    await window.settled();
    await other.close();
    for (const { id } of await server.images()) await server.delete(id);
    await expect(page.locator('.tile, .placeholder')).toHaveCount(0);
    await window.settled();
  };

  await round(0);
  const first = await counts();
  for (let number = 1; number <= ROUNDS; number += 1) await round(number);
  await expect.poll(async () => (await counts()).nodes, { message: 'nodes' }).toBeLessThan(first.nodes * TOLERANCE);
  await expect.poll(async () => (await counts()).listeners, { message: 'listeners' }).toBeLessThan(first.listeners * TOLERANCE);
});
