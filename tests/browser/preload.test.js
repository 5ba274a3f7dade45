// The pages name all their modules, so that the browser requests them at once and not import by import.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from './fixtures.js';

const STATIC = new URL('../../static/', import.meta.url);

for (const [page, entry] of [
  ['index.html', 'js/main.js'],
  ['latest.html', 'js/latest/latest.js'],
  ['boards.html', 'js/boards/boards.js'],
]) {
  test(`${page} preloads the modules that it runs`, async () => {
    const html = await readFile(new URL(page, STATIC), 'utf8');
    const named = [...html.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map(([, path]) => path);
    expect(html).toContain(`src="/static/${entry}"`);
    const modules = await modulesOf(new URL(entry, STATIC));
    modules.delete(new URL(entry, STATIC).href);
    const paths = [...modules].map((url) => `/static/${fileURLToPath(url).slice(fileURLToPath(STATIC).length)}`);
    expect(named.sort()).toEqual(paths.sort());
  });
}

/**
 * A module and all that it imports, as URLs.
 * @param {URL} module
 * @param {Set<string>} [seen]
 */
async function modulesOf(module, seen = new Set()) {
  if (seen.has(module.href)) return seen;
  seen.add(module.href);
  const code = await readFile(module, 'utf8');
  for (const [, path] of code.matchAll(/^(?:import|export) [^;]*?from '(\.[^']+)'/gm)) await modulesOf(new URL(path, module), seen);
  return seen;
}
