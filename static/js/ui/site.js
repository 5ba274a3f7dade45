// @ts-check
// The addresses of this server, and the board that this page shows. The site may live below a path, which is known from
// where this module was loaded from.

/** The root of the site. Ends with a slash. */
const ROOT = new URL('../../../', import.meta.url);

/** The board at the root of the site. */
export const MAIN = 'main';

/** The path of the page of any other board, below the root. */
const BOARD = /^b\/([\w-]{22})(?=\/|$)/;

/** The id of the board that this page shows. */
export const boardId = BOARD.exec(location.pathname.slice(ROOT.pathname.length))?.[1] ?? MAIN;

/**
 * The path of something that belongs to no board.
 * @param {string} path Below the root, without a slash at its start.
 */
export function pathOf(path) {
  return ROOT.pathname + path;
}

/**
 * The path of something on the board of this page.
 * @param {string} path Below the root, without a slash at its start.
 * @param {Record<string, string>} [parameters] Of the query.
 */
export function onBoard(path, parameters = {}) {
  const query = String(new URLSearchParams(boardId === MAIN ? parameters : { ...parameters, board: boardId }));
  return pathOf(path) + (query ? `?${query}` : '');
}

/**
 * The path of the page of a board.
 * @param {string} [id]
 */
export function pageOf(id = boardId) {
  return pathOf(id === MAIN ? '' : `b/${id}`);
}

/** The address of the page of this board. */
export function pageAddress() {
  return new URL(pageOf(), ROOT).href;
}

/** The path of the page with the latest photo of this board. */
export function latestPage() {
  return boardId === MAIN ? pathOf('latest') : `${pageOf()}/latest`;
}

/** The address of this board in the API. @param {string} [id] */
export function boardPath(id = boardId) {
  return pathOf(`boards/${id}`);
}

/**
 * The path below the root of an address on this site, or null for an address elsewhere.
 * @param {string} address Absolute, or a path that may lack the path of the root.
 */
export function pathBelowRoot(address) {
  const { origin, pathname } = new URL(address, ROOT);
  if (origin !== ROOT.origin) return null;
  return pathname.startsWith(ROOT.pathname) ? pathname.slice(ROOT.pathname.length) : pathname.slice(1);
}

/**
 * The key under which the browser keeps something of this board.
 * @param {string} name
 */
export function keyFor(name) {
  return boardId === MAIN ? name : `${name} ${boardId}`;
}
