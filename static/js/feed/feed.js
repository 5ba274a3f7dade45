// @ts-check
// The socket session: one WebSocket to this server. Reconnects after a loss, detects a dead connection, pairs each binary
// message with the record before it, and matches acknowledgements to commands.

import { onBoard } from '../ui/site.js';
import { recordsOf } from './batch.js';
import { noteServerTime } from './server-time.js';

/** @typedef {import('./types.js').ImageRecord} ImageRecord */
/** @typedef {import('./types.js').Person} Person */

/**
 * - `connecting`: no session yet
 * - `initializing`: the server sends the current images
 * - `ready`: all have been sent; from now on changes arrive as they happen
 * - `interrupted`: the server has lost its database; `initializing` follows when it is back
 * - `lost`: no session; reconnecting
 * @typedef {'connecting' | 'initializing' | 'ready' | 'interrupted' | 'lost'} FeedState
 */

/**
 * @typedef {object} FeedHandlers
 * @property {(state: FeedState) => void} onState
 * @property {() => import('./types.js').Box | null} [view] The part of the board whose images are to come first, if any.
 * @property {(record: ImageRecord, file?: Blob) => void} onUpdate
 * @property {() => void} [onBatch] Several records of the current images have been given to `onUpdate`.
 * @property {(id: string, by?: string) => void} onDelete With the name of the person who deleted it.
 * @property {(count: number, people: Person[]) => void} [onPeople] The number of sessions, and the people who have set a name.
 * @property {(data: object) => void} [onUploadBegin] Another viewer starts an upload.
 * @property {(data: object) => void} [onUploadEnd]
 * @property {(data: object) => void} [onBoard] The board, and what this page may do there.
 * @property {(code: number) => Promise<boolean>} [onClose] The session has ended with this code, or could not be opened.
 *   Resolves with whether no other may be opened.
 */

/**
 * An acknowledgement. `Upload:begin` is answered with a place, `User:name` with a person.
 * @typedef {{ place?: { x: number, y: number, w: number }, person?: Person }} Answer
 */

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
/** The time without a message after which the server is probed. Shorter silence is normal on a quiet board. */
const SILENCE_MS = 60_000;
/** The time within which a server opens a session and answers a probe, or counts as dead. */
const ANSWER_TIMEOUT_MS = 8_000;
/** The time limit of a command, which may wait for the database. */
const COMMAND_TIMEOUT_MS = 20_000;

/** Stands for a session that ended without a close frame (RFC 6455, section 7.1.5). */
const NO_CODE = 1006;

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A command that did not reach the server or was refused. */
export class CommandError extends Error {}

export class Feed {
  /** @type {FeedState} */
  state = 'connecting';

  #name;
  #handlers;
  /** @type {WebSocket | null} */
  #socket = null;
  #attempt = 0;
  #reconnectTimer = 0;
  #openTimer = 0;
  #probeTimer = 0;
  #lastMessageAt = 0;
  #lastRef = 0;
  /** True once no session may be opened any more. */
  #isOver = false;
  /** @type {Map<number, { resolve: (answer: Answer) => void, reject: (error: Error) => void, timer: number }>} */
  #commands = new Map();
  /** @type {ImageRecord | null} */
  #awaitingFile = null;

  /**
   * @param {'board' | 'latest'} name
   * @param {FeedHandlers} handlers
   */
  constructor(name, handlers) {
    this.#name = name;
    this.#handlers = handlers;
  }

  /** Opens the session and keeps it open. */
  start() {
    this.#open();
    addEventListener('online', () => this.retryNow());
    addEventListener('pageshow', (event) => event.persisted && this.retryNow());
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.retryNow());
    addEventListener('offline', () => this.#probe());
    setInterval(() => this.#probeIfSilent(), SILENCE_MS / 6);
  }

  /** Reconnects now, or probes the session if it seems to be open. */
  retryNow() {
    if (this.#isOver) return;
    if (!this.#socket) {
      this.#attempt = 0;
      this.#open();
    } else if (this.#socket.readyState === WebSocket.OPEN) {
      this.#probe();
    }
  }

  /**
   * Sends a command. Resolves with the answer when the server has acknowledged it.
   * @param {string} event
   * @param {object} data
   * @returns {Promise<Answer>} Rejects with a `CommandError` if it was refused or the connection is gone.
   */
  send(event, data) {
    const socket = this.#socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new CommandError('there is no connection to the server'));
    }
    const ref = (this.#lastRef += 1);
    socket.send(JSON.stringify({ event, ref, data }));
    return new Promise((resolve, reject) => {
      const giveUp = () => this.#acknowledge({ ref, ok: false, message: 'the server did not answer' });
      this.#commands.set(ref, { resolve, reject, timer: window.setTimeout(giveUp, COMMAND_TIMEOUT_MS) });
    });
  }

  #open() {
    clearTimeout(this.#reconnectTimer);
    const url = new URL(onBoard('ws'), location.href);
    url.searchParams.set('feed', this.#name);
    if (this.#name === 'board') url.searchParams.set('batch', '1');
    const view = this.#handlers.view?.();
    if (view) url.searchParams.set('around', [view.x, view.y, view.w, view.h].map(Math.round).join());
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    socket.binaryType = 'blob';
    socket.addEventListener('message', (event) => this.#socket === socket && this.#receive(event.data));
    socket.addEventListener('close', ({ code }) => this.#lose(socket, code));
    this.#socket = socket;
    this.#lastMessageAt = Date.now();
    this.#openTimer = window.setTimeout(() => socket.readyState === WebSocket.CONNECTING && this.#lose(socket), ANSWER_TIMEOUT_MS);
  }

  /**
   * Reconnects after a delay that doubles with each attempt. Jitter spreads the reconnections after a restart.
   * @param {WebSocket} socket
   * @param {number} [code] That it was closed with.
   */
  #lose(socket, code = NO_CODE) {
    if (this.#socket !== socket) return;
    this.#socket = null;
    this.#awaitingFile = null;
    clearTimeout(this.#openTimer);
    clearTimeout(this.#probeTimer);
    socket.close();
    for (const { reject, timer } of this.#commands.values()) {
      clearTimeout(timer);
      reject(new CommandError('the connection was lost'));
    }
    this.#commands.clear();
    this.#enter('lost');
    void this.#askToStop(code);
    const delay = Math.min(FIRST_DELAY_MS * 2 ** this.#attempt, LONGEST_DELAY_MS);
    this.#attempt += 1;
    this.#reconnectTimer = window.setTimeout(() => this.#open(), delay * (0.5 + Math.random() / 2));
  }

  /** @param {number} code */
  async #askToStop(code) {
    if (this.#isOver || !(await this.#handlers.onClose?.(code))) return;
    this.#isOver = true;
    if (this.#socket) this.#lose(this.#socket);
    clearTimeout(this.#reconnectTimer);
  }

  /** @param {FeedState} state */
  #enter(state) {
    if (state === 'ready') this.#attempt = 0;
    if (state === this.state && state !== 'initializing') return;
    this.state = state;
    this.#handlers.onState(state);
  }

  /** @param {unknown} message */
  #receive(message) {
    this.#lastMessageAt = Date.now();
    clearTimeout(this.#probeTimer);
    if (typeof message !== 'string') {
      this.#receiveFile(/** @type {Blob} */ (message));
      return;
    }
    const { event, data } = parse(message);
    if (event === 'Feed:state' && ['initializing', 'ready', 'interrupted'].includes(data.state)) {
      noteServerTime(data.now);
      this.#enter(data.state);
    } else if (event === 'Image:update' && ID.test(data.id)) {
      if (data.file) this.#awaitingFile = data;
      else this.#handlers.onUpdate(data);
    } else if (event === 'Image:batch') {
      for (const record of recordsOf(data)) if (ID.test(record.id)) this.#handlers.onUpdate(record);
      this.#handlers.onBatch?.();
    } else if (event === 'Image:delete' && ID.test(data.id)) {
      this.#handlers.onDelete(data.id, textOf(data.by));
    } else if (event === 'User:update' && Number.isInteger(data.count)) {
      this.#handlers.onPeople?.(data.count, peopleOf(data.people));
    } else if (event === 'Upload:begin' && ID.test(data.upload)) {
      this.#handlers.onUploadBegin?.(data);
    } else if (event === 'Upload:end' && ID.test(data.upload)) {
      this.#handlers.onUploadEnd?.(data);
    } else if (event === 'Board:update') {
      this.#handlers.onBoard?.(data);
    } else if (event === 'Ack') {
      this.#acknowledge(data);
    }
  }

  /** @param {Blob} file */
  #receiveFile(file) {
    const record = this.#awaitingFile;
    this.#awaitingFile = null;
    if (!record || record.file?.size !== file.size) return;
    this.#handlers.onUpdate(record, new Blob([file], { type: record.type }));
  }

  /** @param {Answer & { ref?: number, ok?: boolean, message?: string }} ack */
  #acknowledge({ ref, ok, message, place, person }) {
    const command = ref === undefined ? undefined : this.#commands.get(ref);
    if (ref === undefined || !command) return;
    this.#commands.delete(ref);
    clearTimeout(command.timer);
    if (ok) command.resolve({ place, person });
    else command.reject(new CommandError(message ?? 'the server refused it'));
  }

  #probeIfSilent() {
    const silent = Date.now() - this.#lastMessageAt > SILENCE_MS;
    if (silent && document.visibilityState === 'visible') this.#probe();
  }

  /**
   * Checks that the server answers. A page cannot see WebSocket pings, and a connection that died while the machine slept
   * looks open for minutes. Any command is answered, an unknown one with `ok: false`.
   */
  #probe() {
    const socket = this.#socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ event: 'Ping', ref: null, data: {} }));
    clearTimeout(this.#probeTimer);
    this.#probeTimer = window.setTimeout(() => this.#lose(socket), ANSWER_TIMEOUT_MS);
  }
}

/** @param {unknown} value */
function textOf(value) {
  return typeof value === 'string' && value ? value : undefined;
}

/**
 * @param {unknown} people
 * @returns {Person[]}
 */
function peopleOf(people) {
  return Array.isArray(people) ? people.filter((person) => textOf(person?.name) && /^#[0-9a-f]{6}$/i.test(person.colour)) : [];
}

/**
 * @param {string} message
 * @returns {{ event?: unknown, data: any }} `data` is empty for an invalid message.
 */
function parse(message) {
  try {
    const { event, data } = JSON.parse(message);
    return { event, data: typeof data === 'object' && data !== null ? data : {} };
  } catch {
    return { data: {} };
  }
}
