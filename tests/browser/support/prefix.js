// A proxy that puts the whole site below a path, as a web server in front of it does.

import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

/** The path of the site, without a slash at the end. */
export const PREFIX = '/party';

/**
 * Starts the proxy. The addresses in the pages get the path, which the server does where it knows of it.
 * @param {import('./server.js').Server} server
 * @returns {Promise<{ url: string, strays: string[], stop: () => Promise<void> }>} `strays`: paths outside the site that were requested.
 */
export async function startPrefixProxy(server) {
  const target = new URL(server.url);
  /** @type {string[]} */
  const strays = [];
  /** The two ends of each WebSocket. @type {Set<import('node:stream').Duplex>} */
  const sessions = new Set();
  const belowSite = (/** @type {string} */ url) => {
    if (url.startsWith(`${PREFIX}/`)) return url.slice(PREFIX.length);
    strays.push(url);
    return null;
  };
  const headersOf = (/** @type {import('node:http').IncomingHttpHeaders} */ headers) => ({
    ...headers,
    host: target.host,
    'accept-encoding': 'identity',
    ...(headers.origin ? { origin: target.origin } : {}),
  });
  const proxy = createServer((incoming, outgoing) => {
    const path = belowSite(incoming.url ?? '');
    if (path === null) return void outgoing.writeHead(404).end();
    const sent = request({ host: target.hostname, port: target.port, path, method: incoming.method, headers: headersOf(incoming.headers), agent: false });
    incoming.pipe(sent);
    sent.on('error', () => outgoing.destroy());
    sent.on('response', async (answer) => {
      const isPage = answer.headers['content-type']?.startsWith('text/html');
      const { 'content-length': _, ...headers } = answer.headers;
      if (headers.location?.startsWith('/')) headers.location = PREFIX + headers.location;
      outgoing.writeHead(answer.statusCode ?? 502, isPage ? headers : { ...headers, ...answer.headers, ...(headers.location ? { location: headers.location } : {}) });
      if (isPage) outgoing.end((await text(answer)).replace(/(href|src)="\//g, `$1="${PREFIX}/`));
      else answer.pipe(outgoing);
    });
  });
  proxy.on('upgrade', (incoming, socket, head) => {
    const path = belowSite(incoming.url ?? '');
    if (path === null) return void socket.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    const lines = Object.entries(headersOf(incoming.headers)).map(([name, value]) => `${name}: ${value}`);
    upstream.write([`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
    upstream.write(head);
    upstream.pipe(socket).pipe(upstream);
    for (const end of [socket, upstream]) end.on('error', () => socket.destroy() && upstream.destroy());
    sessions.add(socket).add(upstream);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  return {
    url: `http://127.0.0.1:${port}${PREFIX}`,
    strays,
    async stop() {
      proxy.close();
      proxy.closeAllConnections();
      for (const session of sessions) session.destroy();
      await once(proxy, 'close');
    },
  };
}
