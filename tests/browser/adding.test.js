import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { Window, eventually, launch } from './helpers/browser.js';
import { onDisk, picture } from './helpers/pictures.js';
import { Server } from './helpers/server.js';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const red = picture('red.png', { colour: [190, 40, 40] });
const tall = picture('tall.png', { colour: [30, 140, 60], width: 200, height: 320 });

let browser;
let server;
before(async () => (browser = await launch()));
after(() => browser.close());
beforeEach(async () => (server = await Server.start()));
afterEach(() => server.stop());

const open = (options) => Window.open(browser, `${server.url}/`, options);
const arriving = (window) => window.page.locator('.remote-upload');

/** Keeps uploads on their way until it is called, with what is to become of them. */
async function hold(window) {
  const held = [];
  let become = null;
  await window.page.route('**/image', (route) => (become ? become(route) : held.push(route)));
  return async (fate) => {
    become = fate;
    await Promise.all(held.map(fate));
  };
}

test('while a picture is being added the others see a place for it, which becomes the picture without a flash', async () => {
  const [one, two] = [await open(), await open()];
  const release = await hold(one);
  await one.drop(await onDisk(red, tall), 500, 300);
  await eventually(async () => assert.equal(await arriving(two).count(), 2));
  const three = await open();
  await eventually(async () => assert.equal(await arriving(three).count(), 2, 'also who comes meanwhile'));
  assert.equal(await arriving(one).count(), 0, 'the uploader has a preview instead');
  const before = await two.boxOf(arriving(two).filter({ hasText: 'tall.png' }));
  await watchForGaps(two, before);
  await release((route) => route.continue());
  for (const window of [one, two, three]) {
    await window.shows('red.png', 'tall.png');
    await eventually(async () => assert.equal(await window.page.locator('.remote-upload, .upload').count(), 0));
  }
  const now = await two.boxOf(two.picture('tall.png'));
  for (const key of ['x', 'y', 'width', 'height']) assert.ok(Math.abs(now[key] - before[key]) < 1, `${key}: ${before[key]} and ${now[key]}`);
  const { frames, gaps } = await two.page.evaluate(() => window.seen);
  assert.ok(frames > 3);
  assert.deepEqual(gaps, [], 'frames in which neither was to be seen');
  for (const window of [one, two, three]) await window.close();
});

/** Looks in every frame whether there is something at that place: the placeholder, or the picture with its pixels. */
function watchForGaps({ page }, { x, y, width, height }) {
  return page.evaluate(
    ([x, y]) => {
      window.seen = { frames: 0, gaps: [] };
      const look = () => {
        window.seen.frames += 1;
        const at = (selector) =>
          [...document.querySelectorAll(selector)].find((element) => {
            const { left, top, right, bottom } = element.getBoundingClientRect();
            return left < x && x < right && top < y && y < bottom;
          });
        const tile = at('.tile');
        const image = tile?.querySelector('img');
        const isSeen = tile && image.complete && image.naturalWidth > 0 && getComputedStyle(tile).opacity === '1';
        if (!at('.remote-upload') && !isSeen) window.seen.gaps.push([window.seen.frames, tile?.outerHTML ?? 'no tile']);
        requestAnimationFrame(look);
      };
      look();
    },
    [x + width / 2, y + height / 2],
  );
}

test('the place goes when the upload is refused, given up, or its window closed', async () => {
  const two = await open();
  const refused = await open();
  await refused.drop(await onDisk({ name: 'notes.png', bytes: 'This is not a picture.' }));
  await refused.page.locator('.upload[data-state=failed]').waitFor();
  await eventually(async () => assert.equal(await arriving(two).count(), 0));

  const givenUp = await open();
  const release = await hold(givenUp);
  await givenUp.drop(await onDisk(red), 400, 300);
  await arriving(two).getByText('red.png').waitFor();
  await givenUp.page.mouse.move(400, 300);
  await givenUp.page.getByRole('button', { name: 'Cancel red.png' }).click();
  await eventually(async () => assert.equal(await arriving(two).count(), 0));

  await givenUp.drop(await onDisk(tall), 400, 300);
  await arriving(two).getByText('tall.png').waitFor();
  assert.equal(await two.page.locator('html').getAttribute('data-state'), 'filled');
  await givenUp.close();
  await eventually(async () => assert.equal(await arriving(two).count(), 0));
  await two.page.getByRole('heading', { name: 'Drop photos here' }).waitFor();
  await release((route) => route.abort().catch(() => {}));
  await refused.close([/status of 415/]);
  await two.close();
});

test('the picker takes what the board can show, and lets iPhones turn HEIC into JPEG', async () => {
  const window = await open();
  const accepted = await window.page.locator('input[type=file]').evaluateAll((inputs) => inputs.map(({ accept }) => accept));
  assert.equal(accepted.length, 2);
  for (const accept of accepted) assert.doesNotMatch(accept, /\*|hei[cf]/i);
  await window.close();
});

test('a phone has a button for its camera, a desk has none', async () => {
  const desk = await open();
  assert.equal(await desk.page.getByRole('button', { name: 'Take a photo' }).count(), 0);
  await desk.close();
  const phone = await open(PHONE);
  assert.equal(await phone.page.locator('#photograph-input').getAttribute('capture'), 'environment');
  for (const [place, file] of [['.welcome', red], ['.tools', tall]]) {
    const button = phone.page.locator(place).getByRole('button', { name: 'Take a photo' });
    const { width, height } = await phone.boxOf(button);
    assert.ok(width >= 40 && height >= 40, `large enough for a finger: ${width} by ${height}`);
    const [chooser] = await Promise.all([phone.page.waitForEvent('filechooser'), button.tap()]);
    await chooser.setFiles(await onDisk(file));
    await phone.picture(file.name).waitFor();
  }
  await phone.close();
});

test('text that is pasted is left to where it belongs', async () => {
  const window = await open();
  const prevented = await window.page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.setData('text/plain', 'hello');
    return !document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
  });
  assert.equal(prevented, false);
  assert.equal(await window.page.locator('.upload, #notices p').count(), 0);
  await window.close();
});
