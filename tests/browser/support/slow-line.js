// A slow line: a proxy that forwards TCP connections at a limited rate and with a delay, as a mobile network does.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** The size of a packet. */
const PACKET = 1460;
/** The bytes that a connection may have under way, as the window of TCP limits them. */
const WINDOW = 64 << 10;

/** One direction of the line: the connections take turns, packet by packet. */
class Direction {
  /** @type {{ packets: Buffer[], size: number, source: import('node:net').Socket, deliver: (packet: Buffer) => void }[]} */
  #flows = [];
  #isBusy = false;
  #next = 0;
  #bytesPerMs;
  #delayMs;

  constructor(bytesPerMs, delayMs) {
    this.#bytesPerMs = bytesPerMs;
    this.#delayMs = delayMs;
  }

  /**
   * Takes all that comes from a socket.
   * @param {import('node:net').Socket} source
   * @param {(packet: Buffer) => void} deliver
   */
  carry(source, deliver) {
    const flow = { packets: [], size: 0, source, deliver };
    this.#flows.push(flow);
    source.on('data', (data) => {
      for (let at = 0; at < data.length; at += PACKET) flow.packets.push(data.subarray(at, at + PACKET));
      flow.size += data.length;
      if (flow.size > WINDOW) source.pause();
      this.#send();
    });
  }

  /** Sends the next packet of the next connection that has one. */
  #send() {
    if (this.#isBusy) return;
    const waiting = (/** @type {number} */ at) => this.#flows[(this.#next + at) % this.#flows.length];
    const found = this.#flows.findIndex((_, at) => waiting(at).packets.length > 0);
    if (found < 0) return;
    const flow = waiting(found);
    this.#next = (this.#next + found + 1) % this.#flows.length;
    const packet = /** @type {Buffer} */ (flow.packets.shift());
    flow.size -= packet.length;
    if (flow.size <= WINDOW) flow.source.resume();
    this.#isBusy = true;
    this.#after(packet.length / this.#bytesPerMs, () => {
      this.#isBusy = false;
      setTimeout(() => flow.deliver(packet), this.#delayMs);
      this.#send();
    });
  }

  /** The time at which the line is free. Timers are late, which must not make the line slower. */
  #freeAt = 0;

  #after(ms, act) {
    const now = performance.now();
    this.#freeAt = Math.max(this.#freeAt, now - 20) + ms;
    setTimeout(act, Math.max(0, this.#freeAt - now));
  }
}

/**
 * Starts a line to a server. `received` has the bytes from the server by the path that a connection first asked for.
 * @param {string} url
 * @param {{ kbits: number, delayMs: number }} line
 */
export async function slowLine(url, { kbits, delayMs }) {
  const { hostname, port } = new URL(url);
  const down = new Direction(kbits / 8, delayMs);
  const up = new Direction(kbits / 8, delayMs);
  /** @type {Map<string, number>} */
  const received = new Map();
  const sockets = new Set();
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    let path = '';
    // The handshake of TCP takes a round trip, before which the client sends nothing.
    client.pause();
    setTimeout(() => client.resume(), 2 * delayMs);
    up.carry(client, (packet) => {
      path ||= /^[A-Z]+ ([^ ?]*)/.exec(packet.toString('latin1'))?.[1] ?? '?';
      server.write(packet);
    });
    down.carry(server, (packet) => {
      received.set(path, (received.get(path) ?? 0) + packet.length);
      client.write(packet);
    });
    client.on('close', () => server.destroy());
    server.on('close', () => setTimeout(() => client.destroy(), delayMs));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    received,
    close() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
