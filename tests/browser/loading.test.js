// The code of a page is one file, and its style another: on a slow line each further request would cost a round trip.

import { expect, test } from './fixtures.js';

for (const [path, most] of /** @type {const} */ ([['/', 3], ['/latest', 5]])) {
  test(`${path} loads its code in ${most} requests at most, all named in the page`, async ({ open }) => {
    const window = await open({ path });
    const session = await window.context.newCDPSession(window.page);
    /** @type {{ file: string, source: string }[]} What was requested, and the file that names it. */
    const requests = [];
    session.on('Network.requestWillBeSent', ({ request, initiator }) => {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith('/static/')) requests.push({ file: pathname, source: initiator.url ?? initiator.stack?.callFrames[0]?.url ?? '' });
    });
    await session.send('Network.enable');
    await window.page.reload();
    await window.settled();
    const files = requests.map(({ file }) => file);
    expect(files.length, 'it loads code').toBeGreaterThan(1);
    expect(files.length, files.join(' ')).toBeLessThanOrEqual(most);
    const page = new URL(path, window.page.url());
    for (const { file, source } of requests) expect(new URL(source).pathname, `what names ${file}`).toBe(page.pathname);
  });
}
