import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { focused, middleOf, tabTo } from './helpers/board.js';
import { Window, eventually, launch } from './helpers/browser.js';
import { onDisk, picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const red = picture('red.png', { colour: [190, 40, 40] });
const green = picture('green.png', { colour: [30, 140, 60] });
const blue = picture('blue.png', { colour: [40, 60, 190] });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

const open = () => Window.open(browser, `${server.url}/`);
const news = ({ page }) => page.locator('#events');

test('a name of one\'s own is kept in the browser, goes with the pictures, and others read it', async () => {
  const [one, two] = [await open(), await open()];
  await tabTo(one, 'Your name');
  await one.page.keyboard.press('Enter');
  assert.equal(await one.page.evaluate(() => document.activeElement.id), 'name-input');
  await one.page.keyboard.type('  Ada Lovelace ');
  await one.page.keyboard.press('Enter');
  await eventually(async () => assert.equal(await focused(one), 'Your name: Ada Lovelace'));
  assert.ok(await one.page.getByText('Ada Lovelace').isVisible());
  await one.page.reload();
  await one.ready();
  assert.ok(await one.page.getByText('Ada Lovelace').isVisible(), 'it is kept');

  await one.drop(await onDisk(red));
  await two.shows('red.png');
  assert.equal((await server.images())[0].author, 'Ada Lovelace');
  await news(two).getByText('Ada Lovelace added red.png').waitFor();
  await two.page.mouse.dblclick(...(await middleOf(two, 'red.png')));
  await two.page.getByText(/Added by Ada Lovelace, .* at \d\d:\d\d/).waitFor();

  await one.page.getByRole('button', { name: 'Your name: Ada Lovelace' }).click();
  await one.page.locator('#name-input').fill('');
  await one.page.getByRole('button', { name: 'Save' }).click();
  await one.page.getByRole('button', { name: 'Your name', exact: true }).waitFor();
  await one.drop(await onDisk(green));
  await two.shows('red.png', 'green.png');
  assert.equal((await server.images())[0].author, undefined);
  for (const window of [one, two]) await window.close();
});

test('what others add is told in one quiet line, merged, and never what one adds oneself', async () => {
  const [one, two] = [await open(), await open()];
  await one.page.evaluate(() => localStorage.setItem('name', 'Ada'));
  await one.drop(await onDisk(red, green, blue));
  await news(two).getByText('Ada added 3 photos').waitFor();
  assert.equal(await news(two).getAttribute('role'), 'status', 'a screen reader hears of it when it has time');
  await server.upload(picture('grace.png', { colour: [90, 90, 20] }), { author: 'Grace' });
  await news(two).getByText('Ada and Grace added 4 photos').waitFor();
  assert.equal(await news(two).locator('span').count(), 1, 'it is one line');
  await news(one).getByText('Grace added grace.png').waitFor();
  assert.doesNotMatch(await news(one).innerText(), /Ada/);
  await eventually(async () => assert.equal(await news(two).innerText(), ''));
  await server.upload(picture('nobody.png', { colour: [9, 90, 20] }));
  await news(two).getByText('Someone added nobody.png').waitFor();
  for (const window of [one, two]) await window.close();
});

test('what was there when one comes is no news, and neither is what was missed', async () => {
  await server.upload(red);
  const window = await open();
  await window.shows('red.png');
  await server.kill();
  await window.page.locator('html[data-feed=lost]').waitFor();
  await server.start();
  await server.upload(green);
  await window.ready();
  await window.shows('red.png', 'green.png');
  assert.equal(await window.page.locator('#deleted').isVisible(), false);
  await window.close([/WebSocket connection to .* failed/, /ERR_CONNECTION_(RESET|REFUSED)/]);
});
