import { expect, test } from './fixtures.js';
import { dragMouse, placementOf, settledBox, uploadRow } from './support/board.js';
import { image } from './support/images.js';
import { PHONE, Touch } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });
const names = ['red.png', 'green.png', 'blue.png'];

const toast = ({ page }) => page.locator('#deleted');

test('what the Undo of the message brings back can be deleted again by redo, whoever had deleted it', async ({ server, open }) => {
  await uploadRow(server, [red, green]);
  const [one, two] = [await open({ slowMessages: true }), await open({ slowMessages: true })];
  await one.tile('red.png').locator('[data-image]').press('Delete');
  await one.shows('green.png');
  await toast(one).getByRole('button', { name: 'Undo' }).click();
  await one.shows('red.png', 'green.png');
  await one.page.keyboard.press('Control+Shift+z');
  await one.shows('green.png');
  await one.page.keyboard.press('Control+z');
  await one.shows('red.png', 'green.png');

  await two.tile('green.png').locator('[data-image]').press('Delete');
  await one.shows('red.png');
  await toast(one).getByRole('button', { name: 'Undo' }).click();
  await one.shows('red.png', 'green.png');
  await one.page.keyboard.press('Control+Shift+z');
  await one.shows('red.png');
});

test('of a deletion that is undone when the connection goes, the rest can be undone later', async ({ server, open }) => {
  await uploadRow(server, [red, green, blue]);
  const window = await open({ slowMessages: true, expectedErrors: [/WebSocket connection to .* failed/] });
  const { page } = window;
  let sent = 0;
  /** @type {import('@playwright/test').WebSocketRoute | undefined} */
  let last;
  await page.routeWebSocket('**/ws*', (socket) => {
    last = socket;
    const connection = socket.connectToServer();
    socket.onMessage((message) => {
      if (String(message).includes('Image:restore')) sent += 1;
      // The second and the third are under way when the connection goes.
      if (!String(message).includes('Image:restore') || sent === 1 || sent > 3) connection.send(message);
    });
  });
  await page.reload();
  await window.ready();
  await window.shows(...names);
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  await window.shows();
  await page.keyboard.press('Control+z');
  await expect(window.tiles()).toHaveCount(1);
  await expect.poll(() => sent).toBe(3);
  await last?.close();
  await expect(page.getByText('2 photos could not be restored')).toBeVisible();
  await window.ready();
  await page.keyboard.press('Control+z');
  await window.shows(...names);
});

test('resizing is undone and redone', async ({ server, open }) => {
  await server.upload(red, { x: -100, y: -60, w: 200 });
  const window = await open();
  const width = async () => Math.round((await server.image('red.png')).w);
  await settledBox(window, 'red.png');
  await window.tile('red.png').hover();
  const { x, y, width: w, height: h } = await window.boxOf(window.page.getByRole('slider', { name: 'Width of red' }));
  await dragMouse(window, [x + w / 2, y + h / 2], [x + w / 2 + 80, y + h / 2 + 50]);
  const larger = (await placementOf(window, 'red.png')).width;
  expect(larger).toBeGreaterThan(240);
  await expect.poll(width, { message: 'the end of the drag' }).toBe(larger);
  await window.page.keyboard.press('Control+z');
  await expect.poll(width).toBe(200);
  await window.page.keyboard.press('Control+Shift+z');
  await expect.poll(width).toBe(larger);
});

test('on a phone Undo is in reach of a finger while the tray shows what was not added', async ({ server, open }) => {
  await server.upload(red, { x: -60, y: -40, w: 160 });
  const phone = await open(PHONE);
  const { page } = phone;
  await phone.shows('red.png');
  await phone.chooseAfter(() => page.getByRole('button', { name: 'Add photos' }).tap(), [red]);
  const tray = page.locator('#uploads');
  await expect(tray.getByText('1 already on the board')).toBeVisible();
  const { x, y } = await settledBox(phone, 'red.png');
  await (await Touch.on(phone)).hold([x + 30, y + 30]);
  await page.locator('#selection').getByRole('button', { name: 'Delete' }).tap();
  await phone.shows();
  await expect(tray).toBeVisible();
  const undo = page.locator('#undo');
  await expect(undo).toBeVisible();
  await phone.settled();
  const [above, below] = [await phone.boxOf(tray), await phone.boxOf(undo)];
  expect(above.y + above.height, 'the tray stands above it').toBeLessThanOrEqual(below.y);
  await undo.tap();
  await phone.shows('red.png');
});
