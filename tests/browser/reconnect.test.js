import { expect, test } from './fixtures.js';
import { hasShownInBar, isPlaced, settledBox } from './support/board.js';
import { image } from './support/images.js';
import { SERVER_DOWN } from './support/window.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });
const expectedErrors = SERVER_DOWN;

test('when the server is killed the page says so, and reconnects when it is started again', async ({ server, open }) => {
  await server.upload(red);
  const window = await open({ expectedErrors });
  const status = window.page.locator('#connection');
  await window.shows('red.png');
  await expect(status).toHaveText(/Live/);
  await server.kill();
  await expect(window.page.getByText('Connection lost').first()).toBeVisible();
  await expect(status).toHaveText(/Offline/);
  await expect(window.tile('red.png'), 'the last known images stay').toHaveCount(1);
  await server.start();
  await hasShownInBar(window, 'Reconnected');
  await expect(status).toHaveText(/Live/);
  await expect(window.page.locator('#trouble')).toBeHidden();
  await window.shows('red.png');
  await server.upload(green);
  await window.shows('red.png', 'green.png');
});

test('a page that reconnects catches up with what was deleted, added and changed meanwhile', async ({ server, open }) => {
  const { id } = await server.upload(red);
  const record = await server.upload(blue, { x: 300, y: 0, w: 100 });
  // The page may still load the image when it is deleted.
  const window = await open({ expectedErrors: [...expectedErrors, /status of 404/] });
  await window.shows('red.png', 'blue.png');
  let isReachable = false;
  await window.page.routeWebSocket('**/ws*', (socket) => void (isReachable ? socket.connectToServer() : socket.close()));
  await server.kill();
  await expect(window.page.getByText('Connection lost').first()).toBeVisible();
  await server.start();
  await server.delete(id);
  await server.upload(green);
  const other = await open({ path: `/#image=${record.id}` });
  await other.page.getByLabel('Description').fill('A blue square');
  await other.page.keyboard.press('Escape');
  await other.page.getByRole('application', { name: 'A blue square' }).focus();
  await other.page.keyboard.press('Alt+Shift+ArrowDown');
  await expect.poll(async () => (await server.image('blue.png')).y).toBe(100);
  await other.close();
  await expect(window.page.locator('html')).toHaveAttribute('data-feed', 'lost');
  const reconnect = window.page.getByRole('button', { name: 'Reconnect now' });
  await expect(reconnect).toBeVisible();
  isReachable = true;
  // Not by pointer: the page also reconnects by itself, which would hide the button on the way to it.
  await reconnect.dispatchEvent('click');
  await window.shows('green.png', 'blue.png');
  await window.paints('green.png', green.colour);
  await expect(window.page.getByRole('application', { name: 'A blue square' })).toBeVisible();
  await isPlaced(window, 'blue.png', { x: 300, y: 100, width: 100 });
  const shown = await window.page.locator('.tile[data-id]').evaluateAll((tiles) => tiles.map((tile) => tile.dataset.id).sort());
  expect(shown, 'it shows what the database holds').toEqual((await server.images()).map((each) => each.id).sort());
});

test('the lightbox says that its image was deleted while the connection was lost', async ({ server, open }) => {
  const { id } = await server.upload(red);
  // The page may still load the image when it is deleted.
  const window = await open({ path: `/#image=${id}`, expectedErrors: [...expectedErrors, /status of 404/] });
  await expect(window.page.getByRole('dialog', { name: 'red' })).toBeVisible();
  await window.page.routeWebSocket('**/ws*', (socket) => socket.close());
  await server.kill();
  await window.lost();
  await server.start();
  await server.delete(id);
  await window.page.routeWebSocket('**/ws*', (socket) => void socket.connectToServer());
  await expect(window.page.getByText('Someone deleted red.')).toBeVisible();
  await window.page.locator('#lightbox').getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => server.images()).toHaveLength(1);
  await expect(window.page.locator('#lightbox [data-gone]')).toBeHidden();
});

test('when the server has lost its database the page says so, and later removes what is not sent again', async ({ server, open }) => {
  await server.upload(red);
  await server.upload(green);
  let socketToPage;
  const window = await open({
    prepare: (context) =>
      context.routeWebSocket('**/ws*', (socket) => {
        socket.connectToServer();
        socketToPage = socket;
      }),
  });
  const send = (event, data) => socketToPage.send(JSON.stringify({ event, data }));
  await window.shows('red.png', 'green.png');
  send('Feed:state', { state: 'interrupted' });
  await expect(window.page.getByText('The server has lost its database').first()).toBeVisible();
  await window.shows('red.png', 'green.png');
  send('Feed:state', { state: 'initializing' });
  send('Image:update', await server.image('green.png'));
  send('Feed:state', { state: 'ready' });
  await window.shows('green.png');
  await hasShownInBar(window, 'Reconnected');
});

test('a change without a connection is refused with a message', async ({ server, open }) => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await open({ expectedErrors });
  await window.shows('red.png');
  await server.kill();
  await window.lost();
  await window.tile('red.png').hover();
  await window.page.getByRole('button', { name: 'Delete red' }).click();
  await expect(window.page.getByText('You’re offline')).toBeVisible();
  await expect(window.tile('red.png')).toHaveCount(1);
});

test('a move that is under way when the connection is lost is kept, and saved after reconnecting', async ({ server, open }) => {
  await server.upload(red, { x: -120, y: -75, w: 240 });
  const window = await open({ expectedErrors });
  const { x, y } = await settledBox(window, 'red.png');
  await window.page.mouse.move(x + 50, y + 50);
  await window.page.mouse.down();
  await window.page.mouse.move(x + 90, y + 50, { steps: 4 });
  await server.kill();
  await window.lost();
  await window.page.mouse.move(x + 150, y + 50, { steps: 4 });
  await window.page.mouse.up();
  await server.start();
  await window.ready();
  await expect.poll(() => server.image('red.png')).toMatchObject({ x: -20, y: -75 });
});
