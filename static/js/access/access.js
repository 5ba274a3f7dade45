// @ts-check
// The permissions of this page on its board. The server enforces them; the page hides what would be refused.

import { MAIN } from '../ui/site.js';

/** @typedef {'view' | 'add' | 'edit' | 'host' | 'admin'} Role */

/**
 * The board as the server describes it to this page.
 * @typedef {object} BoardState
 * @property {string} id
 * @property {string} title Empty if it has none.
 * @property {{ locked: boolean, moderated: boolean }} settings
 * @property {Role} role
 * @property {string} me The `owner` of the images that this browser has added; empty if it is not recognised.
 * @property {'open' | 'links'} access `open` if nobody needs a link.
 */

/** Each includes those before it. @type {Role[]} */
const ROLES = ['view', 'add', 'edit', 'host', 'admin'];

const ONLY_LOOK = 'This link only lets you look.';
const LOCKED = 'This board is locked. Only its host can add photos.';

/** The title of a main board that nobody has named (`MAIN_TITLE` in src/store/boards/record.rs). */
const UNNAMED = 'Photos';

/** Null until the server has described it. Until then photos may be added and changed. @type {BoardState | null} */
let board = null;
/** @type {((board: BoardState, before: BoardState | null) => void)[]} */
const listeners = [];

/** The server describes the board. @param {any} data */
export function updateBoard({ id, title, settings, role, me, access }) {
  if (!ROLES.includes(role)) return;
  const before = board;
  board = {
    id: String(id),
    title: typeof title === 'string' && (id !== MAIN || title !== UNNAMED) ? title : '',
    settings: { locked: settings?.locked === true, moderated: settings?.moderated === true },
    role,
    me: typeof me === 'string' ? me : '',
    access: access === 'links' ? 'links' : 'open',
  };
  for (const listener of listeners) listener(board, before);
}

/** Calls `listener` after every change. @param {(board: BoardState, before: BoardState | null) => void} listener */
export function onBoardChange(listener) {
  listeners.push(listener);
}

/** The board, once it is known. */
export function currentBoard() {
  return board;
}

/** The role that applies now: on a locked board, everybody below host may only look. @returns {Role} */
export function effectiveRole() {
  if (!board) return 'edit';
  return isLockedOut() ? 'view' : board.role;
}

/** @param {Role} role */
function atLeast(role) {
  return ROLES.indexOf(effectiveRole()) >= ROLES.indexOf(role);
}

/** True if the board is locked for this page. */
export function isLockedOut() {
  return board !== null && board.settings.locked && ROLES.indexOf(board.role) < ROLES.indexOf('host');
}

export function mayAdd() {
  return atLeast('add');
}

/** True if this page may move, delete and restore an image. @param {{ owner?: string } | undefined} record */
export function mayChange(record) {
  return atLeast('edit') || (atLeast('add') && isOwn(record));
}

/**
 * True if this page may caption and describe an image. On a moderated board, guests may until it is approved.
 * @param {{ owner?: string, waiting?: boolean } | undefined} record
 */
export function mayDescribe(record) {
  return mayChange(record) && (atLeast('edit') || !board?.settings.moderated || record?.waiting === true);
}

/** True if this page may change every image. */
export function mayChangeAll() {
  return atLeast('edit');
}

export function isHost() {
  return atLeast('host');
}

/** True if this browser has added an image. @param {{ owner?: string } | undefined} record */
export function isOwn(record) {
  return Boolean(board?.me) && record?.owner === board?.me;
}

/** The reason that nothing can be added, as a sentence; empty if photos can be added. */
export function whyNotAdd() {
  if (mayAdd()) return '';
  return isLockedOut() && board?.role !== 'view' ? LOCKED : ONLY_LOOK;
}
