// The rules of axe-core.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { expect } from '@playwright/test';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Runs every rule of axe-core on the page as it is, and expects no violation of any impact. */
export async function expectAccessible(window) {
  await window.settled();
  await window.page.evaluate(axeSource);
  const { violations } = await window.page.evaluate(() => axe.run());
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
  expect(found).toEqual([]);
}
