import { expect, test } from './fixtures.js';
import { tabTo } from './support/board.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });

const question = ({ page }) => page.getByRole('form', { name: 'Your name' });

/** Collects the names that a page has told the server, from now on. @returns {string[]} */
function namesSent({ page }) {
  const names = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const { event, data } = JSON.parse(String(payload));
      if (event === 'User:name') names.push(data.name);
    }),
  );
  return names;
}

test('who first adds something is asked for their name, which the photos that wait for it get', async ({ server, open }) => {
  const [window, other] = [await open({ asksName: true }), await open()];
  await window.drop([red]);
  await expect(question(window)).toBeVisible();
  await expect(other.page.locator('.placeholder').getByText('red', { exact: true }), 'others see what is being added').toBeVisible();
  await expect(window.page.locator('.upload[data-state=waiting]')).toBeAttached();
  await expect(window.page.locator('#name-input')).toBeFocused();
  await window.page.keyboard.type('Ada');
  await window.page.keyboard.press('Enter');
  await expect(question(window)).toBeHidden();
  await other.shows('red.png');
  expect((await server.image('red.png')).author).toBe('Ada');
  await window.drop([green], 300, 300);
  await other.shows('red.png', 'green.png');
  await expect(question(window)).toBeHidden();
});

for (const [way, decline] of /** @type {const} */ ([
  ['skipped', async (window) => {
    await tabTo(window, 'Skip');
    await window.page.keyboard.press('Enter');
  }],
  ['dismissed with Escape', (window) => window.page.keyboard.press('Escape')],
])) {
  test(`the question for the name can be ${way}, and is not asked again`, async ({ server, open }) => {
    const window = await open({ asksName: true });
    const { page } = window;
    const choose = page.getByRole('button', { name: 'Choose photos' });
    await choose.focus();
    await window.chooseAfter(() => page.keyboard.press('Enter'), [red]);
    await expect(question(window)).toBeVisible();
    await decline(window);
    await expect(question(window)).toBeHidden();
    await window.shows('red.png');
    expect((await server.image('red.png')).author).toBeUndefined();
    await page.reload();
    await window.ready();
    await window.drop([green], 300, 300);
    await window.shows('red.png', 'green.png');
    await expect(question(window)).toBeHidden();
    // The name can still be set.
    await page.getByRole('button', { name: 'Your name' }).click();
    await expect(page.locator('#name-input')).toBeFocused();
    await expect(page.getByRole('button', { name: 'Skip' })).toBeHidden();
  });
}

test('photos are sent without a name if nobody answers, and the question stays', async ({ server, open }) => {
  const window = await open({ asksName: true });
  const { clock } = window.page;
  await clock.install();
  await window.drop([red]);
  await expect(question(window)).toBeVisible();
  await expect
    .poll(async () => {
      await clock.runFor(2_000);
      return server.images();
    })
    .toHaveLength(1);
  expect((await server.image('red.png')).author).toBeUndefined();
  await expect(question(window)).toBeVisible();
});

test('photos wait for a name that is being typed, and not for one that is left half written', async ({ server, open }) => {
  const window = await open({ asksName: true });
  const { clock } = window.page;
  await clock.install();
  await window.drop([red]);
  await expect(question(window)).toBeVisible();
  await expect(window.page.locator('.upload[data-state=waiting]')).toBeAttached();
  await window.page.keyboard.type('Gra');
  await clock.runFor(15_000);
  await window.page.keyboard.type('ce');
  await clock.runFor(15_000);
  await expect(window.page.locator('.upload[data-state=waiting]')).toBeAttached();
  await window.page.getByRole('button', { name: 'Save' }).click();
  await expect
    .poll(async () => {
      await clock.runFor(1_000);
      return server.images();
    })
    .toMatchObject([{ author: 'Grace' }]);

  const other = await open({ asksName: true });
  await other.page.clock.install();
  await other.drop([green]);
  await expect(question(other)).toBeVisible();
  await other.page.keyboard.type('Al');
  await expect
    .poll(async () => {
      await other.page.clock.runFor(2_000);
      return server.images();
    })
    .toHaveLength(2);
  await expect(question(other)).toBeVisible();
});

test('on a phone the question leaves the tray free and does not open the keyboard', async ({ server, open }) => {
  const phone = await open({ ...PHONE, asksName: true });
  const button = phone.page.locator('.welcome').getByRole('button', { name: 'Choose photos' });
  await phone.chooseAfter(() => button.tap(), [red]);
  await expect(question(phone)).toBeVisible();
  const tray = phone.page.getByRole('region', { name: 'Uploads' });
  await expect(tray).toBeVisible();
  await phone.settled();
  const [above, below] = [await phone.boxOf(question(phone)), await phone.boxOf(tray)];
  expect(above.y + above.height).toBeLessThan(below.y);
  await expect(phone.page.locator('#name-input')).not.toBeFocused();
  for (const name of ['Skip', 'Save']) {
    const { height } = await phone.boxOf(question(phone).getByRole('button', { name }));
    expect(height, name).toBeGreaterThanOrEqual(40);
  }
  await question(phone).getByRole('button', { name: 'Skip' }).tap();
  await phone.shows('red.png');
  expect(await server.images()).toHaveLength(1);
});

test('without storage the question is asked once a page', async ({ open }) => {
  const window = await open({
    asksName: true,
    prepare: (context) =>
      context.addInitScript(() =>
        Object.defineProperty(globalThis, 'localStorage', { get() { throw new DOMException('Denied.', 'SecurityError'); } }),
      ),
  });
  await window.drop([red], 300, 300);
  await question(window).getByRole('button', { name: 'Skip' }).click();
  await window.shows('red.png');
  await window.drop([green], 700, 300);
  await window.shows('red.png', 'green.png');
  await expect(question(window)).toBeHidden();
});

test('the server is told the name at the start of each session and when it changes, in another tab too', async ({ open }) => {
  const window = await open();
  const { page } = window;
  const names = namesSent(window);
  await page.evaluate(() => localStorage.setItem('name', 'Ada'));
  await page.reload();
  await window.ready();
  await expect.poll(() => names).toEqual(['Ada']);
  await page.getByRole('button', { name: 'Your name: Ada' }).click();
  await page.locator('#name-input').fill('Grace');
  await page.keyboard.press('Enter');
  await expect.poll(() => names).toEqual(['Ada', 'Grace']);
  const other = await window.context.newPage();
  await other.goto(page.url());
  await other.evaluate(() => localStorage.removeItem('name'));
  await expect.poll(() => names).toEqual(['Ada', 'Grace', '']);
  await other.close();
});
