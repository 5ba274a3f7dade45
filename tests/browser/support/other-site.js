// Another web site, on a port of its own: what people drag photos from.

import { once } from 'node:events';
import { createServer } from 'node:http';

/** @typedef {{ body?: string | Uint8Array, headers?: Record<string, string>, isOpen?: boolean, isSilent?: boolean }} Resource */

export class OtherSite {
  /** The requests so far. @type {import('node:http').IncomingMessage[]} */
  requests = [];
  #resources;
  #server;

  /**
   * @param {Record<string, Resource>} resources By path. `isOpen`: other sites may read it (CORS); `isSilent`: never answers.
   */
  static async start(resources) {
    const site = new OtherSite(resources);
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  constructor(resources) {
    this.#resources = resources;
    this.#server = createServer((request, response) => {
      this.requests.push(request);
      const { body = '', headers = {}, isOpen = false, isSilent = false } = this.#resources[request.url] ?? {};
      if (isSilent) return;
      if (isOpen) response.setHeader('Access-Control-Allow-Origin', '*');
      response.writeHead(request.url in this.#resources ? 200 : 404, headers).end(body);
    });
  }

  get host() {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    return `127.0.0.1:${port}`;
  }

  /** The address of a resource. */
  at(path) {
    return `http://${this.host}${path}`;
  }

  async stop() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
