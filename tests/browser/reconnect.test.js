import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { placeOf } from './helpers/board.js';
import { Window, eventually, launch } from './helpers/browser.js';
import { picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

// A picture may be on its way when the server goes.
const DOWN = [/WebSocket connection to .* failed/, /ERR_CONNECTION_(RESET|REFUSED)/];
const red = picture('red.png', { colour: [190, 40, 40] });
const green = picture('green.png', { colour: [30, 140, 60] });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

test('when the server is killed the page says so, and comes back by itself when it is started again', async () => {
  await server.upload(red);
  const window = await Window.open(browser, `${server.url}/`);
  const status = window.page.locator('#connection');
  await window.shows('red.png');
  assert.match(await status.innerText(), /Live/);
  await server.kill();
  await window.page.getByText('The connection is lost').first().waitFor();
  assert.match(await status.innerText(), /Offline/);
  assert.equal(await window.picture('red.png').count(), 1, 'what was last known stays');
  await server.start();
  await window.page.locator('#trouble').getByText('Reconnected').waitFor();
  assert.match(await status.innerText(), /Live/);
  await window.page.locator('#trouble').waitFor({ state: 'hidden' });
  await window.shows('red.png');
  await server.upload(green);
  await window.shows('red.png', 'green.png');
  await window.close(DOWN);
});

test('what was deleted and added while the page was away is right when it is back', async () => {
  const { id } = await server.upload(red);
  const blue = await server.upload(picture('blue.png', { colour: [40, 60, 190] }), { x: 300, y: 0, w: 100 });
  const window = await Window.open(browser, `${server.url}/`);
  await window.shows('red.png', 'blue.png');
  await window.page.routeWebSocket('**/ws*', (socket) => socket.close());
  await server.kill();
  await window.page.getByText('The connection is lost').first().waitFor();
  await server.start();
  await server.delete(id);
  await server.upload(green);
  const other = await Window.open(browser, `${server.url}/#image=${blue.id}`);
  await other.page.getByLabel('Description').fill('A blue square');
  await other.page.keyboard.press('Escape');
  await other.page.getByRole('application', { name: 'A blue square' }).focus();
  await other.page.keyboard.press('Shift+ArrowDown');
  await eventually(async () => assert.equal((await server.images()).find((image) => image.id === blue.id).y, 100));
  await other.close();
  assert.equal(await window.page.locator('html').getAttribute('data-feed'), 'lost');
  await window.page.routeWebSocket('**/ws*', (socket) => void socket.connectToServer());
  await window.page.getByRole('button', { name: 'Reconnect now' }).click();
  await window.shows('green.png', 'blue.png');
  await window.paints('green.png', green.colour);
  await window.page.getByRole('application', { name: 'A blue square' }).waitFor();
  await eventually(async () => assert.deepEqual(await placeOf(window, 'blue.png'), { x: 300, y: 100, width: 100 }));
  const shown = await window.page.locator('.tile[data-id]').evaluateAll((tiles) => tiles.map((tile) => tile.dataset.id).sort());
  assert.deepEqual(shown, (await server.images()).map((image) => image.id).sort(), 'it shows exactly what the database holds');
  await window.close(DOWN);
});

test('a picture that goes while one looks at it and the server is away says so when it is back', async () => {
  const { id } = await server.upload(red);
  const window = await Window.open(browser, `${server.url}/#image=${id}`);
  await window.page.getByRole('dialog', { name: 'red.png' }).waitFor();
  await window.page.routeWebSocket('**/ws*', (socket) => socket.close());
  await server.kill();
  await window.page.locator('html[data-feed=lost]').waitFor();
  await server.start();
  await server.delete(id);
  await window.page.routeWebSocket('**/ws*', (socket) => void socket.connectToServer());
  await window.page.getByText('Someone deleted red.png.').waitFor();
  await window.page.locator('#lightbox').getByRole('button', { name: 'Undo' }).click();
  await eventually(async () => assert.equal((await server.images()).length, 1));
  await window.page.locator('#lightbox [data-gone]').waitFor({ state: 'hidden' });
  await window.close(DOWN);
});

test('when the server has lost its database the page says so, and afterwards drops what is not named again', async () => {
  await server.upload(red);
  await server.upload(green);
  let toPage;
  const window = await Window.open(browser, `${server.url}/`, {
    async prepare(context) {
      await context.routeWebSocket('**/ws*', (socket) => {
        socket.connectToServer();
        toPage = socket;
      });
    },
  });
  const say = (event, data) => toPage.send(JSON.stringify({ event, data }));
  await window.shows('red.png', 'green.png');
  say('Feed:state', { state: 'interrupted' });
  await window.page.getByText('The server cannot reach its database').first().waitFor();
  await window.shows('red.png', 'green.png');
  say('Feed:state', { state: 'initializing' });
  say('Image:update', (await server.images()).find(({ fileName }) => fileName === 'green.png'));
  say('Feed:state', { state: 'ready' });
  await window.shows('green.png');
  await window.page.locator('#trouble').getByText('Reconnected').waitFor();
  await window.close();
});

test('a change without a connection is refused with a word, and not lost in silence', async () => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await Window.open(browser, `${server.url}/`);
  await window.shows('red.png');
  await server.kill();
  await window.page.locator('html[data-feed=lost]').waitFor();
  await window.picture('red.png').hover();
  await window.page.getByRole('button', { name: 'Delete red.png' }).click();
  await window.page.getByText('You’re offline').waitFor();
  assert.equal(await window.picture('red.png').count(), 1);
  await window.close(DOWN);
});

test('a move that was under way when the server went is kept and saved when it is back', async () => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await Window.open(browser, `${server.url}/`);
  const box = await window.boxOf(window.picture('red.png'));
  await window.page.mouse.move(box.x + 50, box.y + 50);
  await window.page.mouse.down();
  await window.page.mouse.move(box.x + 90, box.y + 50, { steps: 4 });
  await server.kill();
  await window.page.locator('html[data-feed=lost]').waitFor();
  await window.page.mouse.move(box.x + 150, box.y + 50, { steps: 4 });
  await window.page.mouse.up();
  await server.start();
  await window.ready();
  await eventually(async () => {
    const [{ x, y }] = await server.images();
    assert.deepEqual([x, y], [-20, -75]);
  });
  await window.close(DOWN);
});
