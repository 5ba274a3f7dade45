import { expect, test } from './fixtures.js';
import { arrange, eventsOf, middleOf, uploadRow } from './support/board.js';
import { CLOCKED, stopClock } from './support/clock.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });

/** Options of a window whose user has this name. @returns {import('./fixtures.js').OpenOptions} */
const as = (name, options = {}) => ({
  ...options,
  prepare: (context) => context.addInitScript((name) => localStorage.setItem('name', name), name),
});

const people = ({ page }) => page.locator('#people');
const list = ({ page }) => page.locator('#people-list');
const flags = ({ page }) => page.locator('.mover');
/** Records the flags that are shown from now on, also those that are gone when the test looks. */
const recordFlags = ({ page }) =>
  page.evaluate(() => {
    const shown = (globalThis.shownFlags = /** @type {string[]} */ ([]));
    new MutationObserver((changes) => {
      const added = changes.flatMap(({ addedNodes }) => [...addedNodes]);
      for (const node of added) if (node instanceof HTMLElement && node.matches('.mover')) shown.push(node.innerText);
    }).observe(document.body, { childList: true, subtree: true });
  });
const recordedFlags = ({ page }) => page.evaluate(() => globalThis.shownFlags);
const colourOf = (locator) => locator.evaluate((each) => getComputedStyle(each).backgroundColor, undefined, { timeout: 500 });

test('who is here is shown by initials in colours, and by name in a list', async ({ open }) => {
  const ada = await open(as('Ada Lovelace'));
  await expect(people(ada), 'nobody else is here').toBeHidden();
  const [grace, guest] = [await open(as('Grace')), await open()];
  for (const window of [ada, grace, guest]) {
    await expect(people(window).locator('.initials')).toHaveText(['AL', 'G']);
    await expect(people(window)).toContainText('+1');
    await expect(people(window)).toHaveAttribute('title', /Ada Lovelace.*Grace.*, 1 guest$/);
  }
  await expect(people(ada), 'oneself').toHaveAttribute('title', /Ada Lovelace \(you\)/);
  const colours = await people(guest).locator('.initials').evaluateAll((all) => all.map((each) => getComputedStyle(each).backgroundColor));
  expect(new Set(colours).size, 'colours').toBe(2);

  await people(guest).focus();
  await guest.page.keyboard.press('Enter');
  await expect(list(guest)).toBeVisible();
  await expect(list(guest).locator('li')).toHaveText([/Ada Lovelace$/, /Grace$/, '1 guest without a name']);
  await grace.page.getByRole('button', { name: 'Your name: Grace' }).click();
  await grace.page.locator('#name-input').fill('Grace Hopper');
  await grace.page.keyboard.press('Enter');
  await expect(list(guest), 'the open list is live').toContainText('Grace Hopper');
  await guest.page.keyboard.press('Escape');
  await expect(list(guest)).toBeHidden();
  await guest.close();
  await grace.close();
  await expect(people(ada)).toBeHidden();
});

test('without any name the number of people is shown, on a phone always', async ({ open }) => {
  const [one, phone] = [await open(), await open(PHONE)];
  await expect(people(one).getByText('2 here')).toBeVisible();
  await open(as('Ada'));
  await expect(people(one).locator('.initials')).toBeVisible();
  await expect(people(phone).getByText('3 here')).toBeVisible();
  await expect(people(phone).locator('.initials')).toBeHidden();
  await people(phone).tap();
  await expect(list(phone).getByText('Ada')).toBeVisible();
  const { x, width } = await phone.boxOf(list(phone));
  expect(x >= 0 && x + width <= 390, 'it fits').toBe(true);
});

test('while somebody else moves a photo, a flag with the name follows it', async ({ server, open }) => {
  await uploadRow(server, [red, green]);
  const [ada, grace, guest] = [await open(as('Ada')), await open(as('Grace')), await open()];
  for (const window of [ada, grace, guest]) await window.shows('red.png', 'green.png');
  await expect(people(grace).locator('.initials')).toHaveCount(2);
  const [x, y] = await middleOf(ada, 'red.png');
  await ada.page.mouse.move(x, y);
  await ada.page.mouse.down();
  let step = 0;
  await expect(async () => {
    step += 1;
    await ada.page.mouse.move(x, y + 4 * (step % 30));
    for (const window of [grace, guest]) await expect(window.tile('red.png').locator('.mover')).toHaveText('Ada', { timeout: 500 });
  }).toPass();
  await expect(flags(ada), 'not for oneself').toHaveCount(0);
  await expect(async () => {
    step += 1;
    await ada.page.mouse.move(x, y + 4 * (step % 30));
    const colour = await colourOf(people(grace).locator('.initials').first());
    expect(colour, 'of an element that the page has just replaced').not.toBe('');
    expect(await colourOf(flags(grace))).toBe(colour);
  }).toPass();
  await ada.page.mouse.up();
  for (const window of [grace, guest]) await expect(flags(window), 'it goes').toHaveCount(0);
  await expect.poll(async () => (await server.image('red.png')).movedBy).toBe('Ada');

  await grace.page.mouse.dblclick(...(await middleOf(grace, 'red.png')));
  await expect(grace.page.locator('[data-moved]')).toHaveText(/Moved by\s*Ada/);
});

test('the flag of somebody who moves many photos stays on one of them', async ({ server, open }) => {
  await uploadRow(server, [red, green, image('blue.png', { colour: [40, 60, 190] })]);
  const [ada, grace] = [await open(as('Ada')), await open(CLOCKED)];
  for (const window of [ada, grace]) await window.shows('red.png', 'green.png', 'blue.png');
  // However long the moves take on a busy machine.
  await stopClock(grace);
  await grace.page.evaluate(() => {
    globalThis.noted = new Set();
    const note = () => {
      for (const flag of document.querySelectorAll('.mover')) globalThis.noted.add(flag.closest('.tile')?.getAttribute('data-id'));
    };
    new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
  });
  const flagged = () => grace.page.evaluate(() => globalThis.noted.size);
  const [x, y] = await middleOf(ada, 'green.png');
  await ada.page.keyboard.press('Control+a');
  await ada.page.mouse.move(x, y);
  await ada.page.mouse.down();
  for (let step = 1; step <= 30; step += 1) await ada.page.mouse.move(x, y + 3 * step);
  await expect.poll(flagged).toBe(1);
  await expect.poll(async () => (await server.images()).every(({ movedBy }) => movedBy === 'Ada')).toBe(true);
  expect(await flagged(), 'all three have moved').toBe(1);
  await ada.page.mouse.up();
});

test('a photo that a guest without a name moves or arranges has a flag, but not for that guest', async ({ server, open }) => {
  const blue = image('blue.png', { colour: [40, 60, 190] });
  for (const each of [red, green, blue]) await server.upload(each, { x: 0, y: 0, w: 200 });
  const [ada, guest] = [await open(as('Ada')), await open()];
  for (const window of [ada, guest]) {
    await window.shows('red.png', 'green.png', 'blue.png');
    await recordFlags(window);
  }
  await guest.tile('green.png').locator('[data-image]').focus();
  await guest.page.keyboard.press('Alt+ArrowRight');
  await expect.poll(() => recordedFlags(ada)).toEqual(['Someone']);
  await expect(flags(ada), 'it goes').toHaveCount(0);
  await arrange(guest, 'By name');
  await expect.poll(() => recordedFlags(ada).then(({ length }) => length)).toBeGreaterThan(1);
  await expect(flags(ada)).toHaveCount(0);
  const arranged = (await recordedFlags(ada)).length;
  // The arrangement, and the move of another photo: two at once.
  await guest.page.keyboard.press('Control+z');
  await guest.page.keyboard.press('Control+z');
  await expect.poll(async () => (await server.image('green.png')).x).toBe(0);
  await expect.poll(() => recordedFlags(ada).then(({ length }) => length)).toBeGreaterThan(arranged);
  await ada.tile('red.png').locator('[data-image]').focus();
  await ada.page.keyboard.press('Alt+ArrowDown');
  await expect.poll(() => recordedFlags(guest), 'only of what others have moved').toEqual(['Ada']);
});

test('the person who deletes, restores or adds a photo is named', async ({ server, open }) => {
  await uploadRow(server, [red, green]);
  const ada = await open(as('Ada'));
  const { id } = await server.image('green.png');
  const [grace, reader] = [await open(as('Grace', { slowMessages: true })), await open({ path: `/#image=${id}`, slowMessages: true })];
  await grace.shows('red.png', 'green.png');
  await expect(people(ada).locator('.initials'), 'the server knows the names').toHaveCount(2);
  await ada.tile('green.png').hover();
  await ada.page.getByRole('button', { name: 'Delete green' }).click();
  await expect(grace.page.locator('#deleted').getByText('Ada deleted green')).toBeVisible();
  await expect(reader.page.getByText('Ada deleted green.')).toBeVisible();
  await ada.page.locator('#deleted').getByRole('button', { name: 'Undo' }).click();
  await expect(eventsOf(grace)).toHaveText('Ada restored green');
  await ada.drop([image('blue.png', { colour: [40, 60, 190] })]);
  await expect(eventsOf(grace)).toHaveText('Ada added blue');
});
