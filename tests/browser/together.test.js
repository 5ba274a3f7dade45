import { expect, test } from './fixtures.js';
import { hasFocus, middleOf, tabTo } from './support/board.js';
import { image } from './support/images.js';
import { SERVER_DOWN } from './support/window.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });

const news = ({ page }) => page.locator('#events');

test("a viewer's name is kept in the browser, stored with the images, and shown to others", async ({ server, open }) => {
  const [one, two] = [await open(), await open()];
  const name = one.page.locator('#name-input');
  await tabTo(one, 'Your name');
  await one.page.keyboard.press('Enter');
  await expect(name).toBeFocused();
  await one.page.keyboard.type('  Ada Lovelace ');
  await one.page.keyboard.press('Enter');
  await hasFocus(one, 'Your name: Ada Lovelace');
  await expect(one.page.getByText('Ada Lovelace')).toBeVisible();
  await one.page.reload();
  await one.ready();
  await expect(one.page.getByText('Ada Lovelace'), 'it is kept').toBeVisible();

  await one.drop([red]);
  await two.shows('red.png');
  expect((await server.image('red.png')).author).toBe('Ada Lovelace');
  await expect(news(two).getByText('Ada Lovelace added red.png')).toBeVisible();
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
  const [one, two] = [await open(), await open()];
  await one.page.evaluate(() => localStorage.setItem('name', 'Ada'));
  await one.drop([red, green, blue]);
  await expect(news(two).getByText('Ada added 3 photos')).toBeVisible();
  await expect(news(two), 'a polite live region').toHaveAttribute('role', 'status');
  await server.upload(image('grace.png', { colour: [90, 90, 20] }), { author: 'Grace' });
  await expect(news(two).getByText('Ada and Grace added 4 photos')).toBeVisible();
  await expect(news(two).locator('span'), 'it is one line').toHaveCount(1);
  await expect(news(one)).toHaveText('Grace added grace.png');
  await expect(news(two)).toBeEmpty();
  await server.upload(image('nobody.png', { colour: [9, 90, 20] }));
  await expect(news(two).getByText('Someone added nobody.png')).toBeVisible();
});

test('neither what a viewer finds on arrival nor what was missed is reported', async ({ server, open }) => {
  await server.upload(red);
  const window = await open({ expectedErrors: SERVER_DOWN });
  await window.shows('red.png');
  await server.kill();
  await window.lost();
  await server.start();
  await server.upload(green);
  await window.ready();
  await window.shows('red.png', 'green.png');
  await expect(window.page.locator('#deleted')).toBeHidden();
  // Of all that the window has seen only what is added now is reported.
  await server.upload(blue, { author: 'Grace' });
  await expect(news(window)).toHaveText(/added/);
  await expect(news(window)).toHaveText('Grace added blue.png');
});
