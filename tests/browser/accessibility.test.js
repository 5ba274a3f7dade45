import { expect, test } from './fixtures.js';
import { expectAccessible } from './support/accessible.js';
import { image } from './support/images.js';
import { PHONE } from './support/touch.js';

const red = image('red.png', { colour: [190, 40, 40] });
const green = image('green.png', { colour: [30, 140, 60] });
const blue = image('blue.png', { colour: [40, 60, 190] });
const text = { name: 'notes.png', bytes: 'This is not an image.' };

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`the board and /latest are accessible, empty and filled, in ${colorScheme}`, async ({ server, open }) => {
    for (const path of ['/', '/latest']) {
      const window = await open({ path, colorScheme, reducedMotion: 'reduce' });
      await expect(window.page.locator('html')).toHaveAttribute('data-state', 'empty');
      await expectAccessible(window);
      await window.close();
    }
    await server.upload(red);
    await server.upload(green);
    for (const path of ['/', '/latest']) {
      const window = await open({ path, colorScheme, reducedMotion: 'reduce', expectedErrors: [/status of 415/] });
      await expect(window.page.locator('html')).toHaveAttribute('data-state', 'filled');
      await window.drop([text]);
      await expect(window.page.locator('.upload[data-state=failed]')).toBeVisible();
      if (path === '/') await window.tile('red.png').locator('[data-image]').focus();
      await expectAccessible(window);
      await window.close();
    }
  });
}

test('the keyboard help opens, is accessible, and closes with Escape', async ({ open }) => {
  const window = await open({ reducedMotion: 'reduce' });
  const heading = window.page.getByRole('heading', { name: 'Keyboard' });
  await window.page.getByRole('button', { name: 'Keyboard help' }).click();
  await expect(heading).toBeVisible();
  await expectAccessible(window);
  await window.page.keyboard.press('Escape');
  await expect(heading).toBeHidden();
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  for (const [size, options] of Object.entries({ 'a wide screen': {}, 'a phone': PHONE })) {
    test(`the lightbox, a selection, a deletion and the name are accessible on ${size}, in ${colorScheme}`, async ({ server, open }) => {
      const { id } = await server.upload(red, { x: -120, y: -200, w: 160, author: 'Ada' });
      const second = await server.upload(green, { x: -80, y: 0, w: 160 });
      const window = await open({ ...options, path: `/#image=${id}`, colorScheme, reducedMotion: 'reduce', slowMessages: true });
      const { page } = window;
      await expect(page.locator('#lightbox.is-loaded')).toBeVisible();
      await page.locator('[data-stage]').focus();
      await expectAccessible(window);
      await page.getByLabel('Description').evaluate((area) => area.closest('#lightbox').classList.add('is-detailed'));
      await expectAccessible(window);
      await server.delete(id);
      await expect(page.getByText('Someone deleted red.')).toBeVisible();
      await expectAccessible(window);
      await page.keyboard.press('Escape');
      await expect(page.locator('#lightbox')).toBeHidden();
      await page.getByRole('link', { name: 'Board' }).click();

      await server.upload(blue, { x: -80, y: 150, w: 160, author: 'Grace' });
      await expect(page.locator('#events').getByText('Grace added blue')).toBeVisible();
      await page.keyboard.press('Control+a');
      await expect(page.getByText('2 selected', { exact: true })).toBeVisible();
      await expectAccessible(window);
      await page.keyboard.press('Escape');
      await server.delete(second.id);
      await expect(page.locator('#deleted').getByText('Someone deleted green')).toBeVisible();
      await expectAccessible(window);
      await page.getByRole('button', { name: 'Your name' }).click();
      await expect(page.locator('#name-input')).toBeVisible();
      await expectAccessible(window);
    });
  }
}

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`the bin, the comparison, a caption being edited and the people are accessible, in ${colorScheme}`, async ({ server, open }) => {
    await server.upload(red, { x: -200, y: -100, w: 160, author: 'Ada' });
    await server.upload(green, { x: 0, y: -100, w: 160 });
    const { id } = await server.upload(blue);
    await server.delete(id);
    await open();
    const window = await open({ colorScheme, reducedMotion: 'reduce', slowMessages: true });
    const { page } = window;
    await page.locator('#show-bin').click();
    await expect(page.locator('#bin').getByRole('button', { name: 'Restore blue' })).toBeVisible();
    await expectAccessible(window);
    await page.keyboard.press('Escape');
    await page.locator('#people').click();
    await expect(page.locator('#people-list')).toBeVisible();
    await expectAccessible(window);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+a');
    await page.keyboard.press('c');
    await expect(page.locator('#compare .pane')).toHaveCount(2);
    await expectAccessible(window);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await window.tile('red.png').locator('[data-image]').focus();
    await page.keyboard.press('F2');
    await expect(page.locator('.caption-editor textarea')).toBeFocused();
    await expectAccessible(window);
  });
}
