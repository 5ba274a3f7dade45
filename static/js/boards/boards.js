// @ts-check
// The page /boards: the boards of this server, for administrators. Makes and deletes them.

import { messageOf, request } from '../ui/api.js';
import { confirmed } from '../ui/confirm.js';
import { notice } from '../ui/notice.js';
import { element, find, template } from '../ui/page.js';
import { sizeText } from '../ui/text.js';
import { MAIN, boardPath, pageOf, pathOf } from '../ui/site.js';
import { dayOf } from '../invite/roles.js';
import { NewBoard } from './new-board.js';

/**
 * @typedef {object} ListedBoard
 * @property {string} id
 * @property {string} title
 * @property {string} createdAt
 * @property {{ locked: boolean, moderated: boolean }} settings
 * @property {number} images
 * @property {number} bytes Of the files of the images.
 * @property {number} people
 */

/**
 * @typedef {object} Listing
 * @property {ListedBoard[]} boards
 * @property {string} version Of the server.
 * @property {number} [freeBytes] Space for images, if they are on the server's machine.
 */

/** The numbers of photos and people are asked for again after this time. */
const REFRESH_MS = 10_000;

const list = element('boards');
const everywhere = element('everywhere');
const newBoard = new NewBoard(/** @type {HTMLDialogElement} */ (element('new')), everywhere, () => void load());

async function load() {
  try {
    /** @type {Listing} */
    const listing = await request('GET', pathOf('boards'));
    write(listing.boards);
    writeServer(listing);
    element('problem').textContent = '';
  } catch (error) {
    element('problem').textContent = `The boards could not be loaded. ${messageOf(error)}`;
  }
}

/** Rows that stay keep the focus. @param {ListedBoard[]} boards */
function write(boards) {
  const rows = new Map([...list.children].map((row) => [/** @type {HTMLElement} */ (row).dataset.id, /** @type {HTMLElement} */ (row)]));
  const sorted = [...boards].sort((a, b) => Number(b.id === MAIN) - Number(a.id === MAIN) || b.createdAt.localeCompare(a.createdAt));
  const wanted = sorted.map((board) => writeRow(rows.get(board.id) ?? makeRow(board), board));
  for (const row of rows.values()) if (!wanted.includes(row)) row.remove();
  wanted.forEach((row, at) => list.children[at] !== row && list.insertBefore(row, list.children[at] ?? null));
}

/** @param {ListedBoard} board */
function makeRow({ id }) {
  const row = /** @type {HTMLElement} */ (template('board').content.firstElementChild?.cloneNode(true));
  row.dataset.id = id;
  /** @type {HTMLAnchorElement} */ (find(row, '[data-open]')).href = pageOf(id);
  const button = find(row, '[data-delete]');
  // It can only be cleared.
  button.hidden = id === MAIN;
  button.addEventListener('click', () => void remove(row, id));
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {ListedBoard} board
 */
function writeRow(row, { title, createdAt, settings, images, bytes, people }) {
  const name = title || 'Untitled';
  // The main board has always been there.
  const made = Date.parse(createdAt) > 0 ? `Made on ${dayOf(createdAt, new Date())}` : '';
  find(row, '[data-title]').textContent = name;
  find(row, '[data-about]').textContent = [photosText(images), images > 0 && sizeText(bytes), made, settings.locked && 'Locked', settings.moderated && 'Moderated'].filter(Boolean).join(' · ');
  find(row, '[data-people]').textContent = people > 0 ? `${people} here` : '';
  find(row, '[data-delete]').setAttribute('aria-label', `Delete ${name}`);
  return row;
}

/** The totals, and how much more fits. @param {Listing} listing */
function writeServer({ boards, version, freeBytes }) {
  const total = (/** @type {'people' | 'images' | 'bytes'} */ what) => boards.reduce((sum, board) => sum + board[what], 0);
  const people = total('people');
  const figures = [
    people === 1 ? '1 person here' : people === 0 ? 'Nobody here' : `${people} people here`,
    photosText(total('images')),
    `${sizeText(total('bytes'))} used`,
    freeBytes !== undefined && `${sizeText(freeBytes)} free`,
    `Version ${version}`,
  ];
  // A narrow screen breaks the line between two figures.
  element('server').textContent = figures.filter((figure) => figure !== false).map((figure) => figure.replaceAll(' ', '\u00a0')).join(' · ');
}

/** @param {number} count */
function photosText(count) {
  return count === 1 ? '1 photo' : count === 0 ? 'No photos' : `${count.toLocaleString('en')} photos`;
}

/**
 * @param {HTMLElement} row
 * @param {string} id
 */
async function remove(row, id) {
  const title = find(row, '[data-title]').textContent ?? '';
  const hint = 'Its photos are deleted with it, and its links stop working. This can’t be undone.';
  if (!(await confirmed(`Delete “${title}”?`, 'Delete board', hint))) return;
  try {
    await request('DELETE', boardPath(id));
    row.remove();
    notice(`“${title}” was deleted.`);
    find(document.body, '[data-new]').focus();
  } catch (error) {
    notice(`“${title}” could not be deleted. ${messageOf(error)}`);
  }
  void load();
}

find(document.body, '[data-new]').addEventListener('click', () => newBoard.open());
document.addEventListener('visibilitychange', () => !document.hidden && void load());
setInterval(() => !document.hidden && void load(), REFRESH_MS);
await load();
document.documentElement.dataset.feed = 'ready';
