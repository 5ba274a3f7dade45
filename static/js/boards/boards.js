// @ts-check
// The page /boards: the boards of this server, for administrators. Makes and deletes them.

import { messageOf, request } from '../ui/api.js';
import { confirmed } from '../ui/confirm.js';
import { notice } from '../ui/notice.js';
import { element, find, template } from '../ui/page.js';
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
 * @property {number} people
 */

/** The numbers of photos and people are asked for again after this time. */
const REFRESH_MS = 10_000;

const list = element('boards');
const everywhere = element('everywhere');
const newBoard = new NewBoard(/** @type {HTMLDialogElement} */ (element('new')), everywhere, () => void load());

async function load() {
  try {
    /** @type {{ boards: ListedBoard[] }} */
    const { boards } = await request('GET', pathOf('boards'));
    write(boards);
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
function writeRow(row, { title, createdAt, settings, images, people }) {
  const name = title || 'Untitled';
  // The main board has always been there.
  const made = Date.parse(createdAt) > 0 ? `Made on ${dayOf(createdAt, new Date())}` : '';
  const photos = images === 1 ? '1 photo' : images === 0 ? 'No photos' : `${images} photos`;
  find(row, '[data-title]').textContent = name;
  find(row, '[data-about]').textContent = [photos, made, settings.locked && 'Locked', settings.moderated && 'Moderated'].filter(Boolean).join(' · ');
  find(row, '[data-people]').textContent = people > 0 ? `${people} here` : '';
  find(row, '[data-delete]').setAttribute('aria-label', `Delete ${name}`);
  return row;
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
