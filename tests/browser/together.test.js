import { expect, test } from './fixtures.js';
import { eventsOf, hasFocus, middleOf, pastEventsOf, tabTo } from './support/board.js';
import { CLOCKED, stopClock, turnClockUntil } from './support/clock.js';
import { image } from './support/images.js';
import { SERVER_DOWN } from './support/window.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });

test("a viewer's name is kept in the browser, stored with the images, and shown to others", async ({ server, open }) => {
  const [one, two] = [await open(), await open({ slowMessages: true })];
  const name = one.page.locator('#name-input');
  await tabTo(one, 'Your name');
  await one.page.keyboard.press('Enter');
  await expect(name).toBeFocused();
  await one.page.keyboard.type('  Ada Lovelace ');
  await one.page.keyboard.press('Enter');
  await hasFocus(one, 'Your name: Ada Lovelace');
  await expect(one.page.locator('#show-name').getByText('Ada Lovelace')).toBeVisible();
  await one.page.reload();
  await one.ready();
  await expect(one.page.locator('#show-name').getByText('Ada Lovelace'), 'it is kept').toBeVisible();

  await one.drop([red]);
  await two.shows('red.png');
  expect((await server.image('red.png')).author).toBe('Ada Lovelace');
  await expect(eventsOf(two).getByText('Ada Lovelace added red')).toBeVisible();
  await two.page.mouse.dblclick(...(await middleOf(two, 'red.png')));
  await expect(two.page.getByText(/Added by Ada Lovelace, .* at \d\d:\d\d/)).toBeVisible();

  await one.page.getByRole('button', { name: 'Your name: Ada Lovelace' }).click();
  await name.fill('');
  await one.page.getByRole('button', { name: 'Save' }).click();
  await expect(one.page.getByRole('button', { name: 'Your name', exact: true })).toBeVisible();
  await one.drop([green]);
  await two.shows('red.png', 'green.png');
  expect((await server.image('green.png')).author).toBeUndefined();
});

test('what others add is reported in one line, merged, and never what a viewer adds', async ({ server, open }) => {
  const [one, two] = [await open({ slowMessages: true }), await open(CLOCKED)];
  await stopClock(two);
  await one.page.evaluate(() => localStorage.setItem('name', 'Ada'));
  await one.drop([red, green, blue]);
  await expect.poll(() => server.images()).toHaveLength(3);
  // The clock stands still until all three have arrived, so that they belong together however long that takes.
  await turnClockUntil(two, async () => expect(await two.tiles().count()).toBe(3));
  await two.page.clock.runFor(600);
  await expect(eventsOf(two)).toHaveText('Ada added 3 photos');
  await expect(eventsOf(two), 'a polite live region').toHaveAttribute('role', 'status');
  await server.upload(image('grace.png', { colour: [90, 90, 20] }), { author: 'Grace' });
  await turnClockUntil(two, async () => expect(await two.tiles().count()).toBe(4));
  await two.page.clock.runFor(600);
  await expect(eventsOf(two)).toHaveText('Ada and Grace added 4 photos');
  await expect(eventsOf(two).locator('span'), 'it is one line').toHaveCount(1);
  await expect(eventsOf(one)).toHaveText('Grace added grace');
  expect(await pastEventsOf(one)).toEqual(['Grace added grace']);
  await two.page.clock.runFor(5_000);
  await expect(eventsOf(two)).toBeEmpty();
  await server.upload(image('nobody.png', { colour: [9, 90, 20] }));
  await turnClockUntil(two, () => expect(eventsOf(two)).toHaveText('Someone added nobody', { timeout: 1 }));
});

test('neither what a viewer finds on arrival nor what was missed is reported', async ({ server, open }) => {
  await server.upload(red);
  const window = await open({ expectedErrors: SERVER_DOWN });
  await window.shows('red.png');
  await window.page.routeWebSocket('**/ws*', (socket) => socket.close());
  await server.kill();
  await window.lost();
  await server.start();
  await server.upload(green);
  await window.page.routeWebSocket('**/ws*', (socket) => void socket.connectToServer());
  await window.ready();
  await window.shows('red.png', 'green.png');
  await expect(window.page.locator('#deleted')).toBeHidden();
  await server.upload(blue, { author: 'Grace' });
  await expect(eventsOf(window)).toHaveText(/added/);
  expect(await pastEventsOf(window), 'only what is added while the window is connected').toEqual(['Grace added blue']);
});
