// The code of a page is one file, and its style another: on a slow line each further request would cost a round trip.

import { expect, test } from './fixtures.js';

for (const [path, most] of /** @type {const} */ ([['/', 3], ['/latest', 5]])) {
  test(`${path} loads its code in ${most} requests at most`, async ({ open }) => {
    const window = await open({ path });
    const files = window.requests.filter((url) => new URL(url).pathname.startsWith('/static/'));
    expect(files.length, files.join(' ')).toBeLessThanOrEqual(most);
  });
}
