// @ts-check
// The board's page: makes the parts and connects them.

import { Adding, showHover } from './adding.js';
import { announce, announcer } from './announce.js';
import { Board, idOf } from './board.js';
import { Camera, rememberView } from './camera.js';
import { Connection } from './connection.js';
import { dragging } from './drag.js';
import { takeFiles, usePicker } from './dropzone.js';
import { Feed } from './feed.js';
import { Images, boundsOf, boxOf } from './images.js';
import { useKeyboard } from './keyboard.js';
import { Moves } from './moves.js';
import { navigate, useZoomControls } from './navigate.js';
import { notice } from './notice.js';
import { element, template } from './page.js';

/** A new page that would have to be smaller than this to show everything shows the latest instead. */
const SMALLEST_START = 0.25;
const NOT_NOW = 'There is no connection right now; changes are possible again when it is back.';

const surface = element('surface');
const layer = element('layer');
const view = document.documentElement;
view.dataset.state = 'loading';
/** Whether everything has been named once. */
let complete = false;

const added = announcer((name) => `${name} was added.`, (count) => `${count} pictures were added.`);
const deleted = announcer((name) => `${name} was deleted.`, (count) => `${count} pictures were deleted.`);

const camera = new Camera(() => {
  board?.moved();
  element('scale').textContent = `${Math.round(camera.scale * 100)} %`;
});

const images = new Images({
  onUpdate(record, before, live) {
    moves.seen(record);
    board.changed(record.id);
    adding.arrived(record.id);
    if (before || !live) return;
    added(record.fileName);
    showStart();
    follow(record);
  },
  onRemove(record, live) {
    moves.forget(record.id);
    board.changed(record.id);
    adding.gone(record.id);
    if (!live) return;
    deleted(record.fileName);
    showStart();
  },
});

const feed = new Feed('board', {
  onUpdate: (record) => images.update(record),
  onDelete: (id) => images.delete(id),
  onPeople: (count) => connection.showPeople(count),
  onUploadBegin: (data) => adding.arriving.begin(data),
  onUploadEnd: (data) => adding.arriving.end(data),
  onState(state) {
    if (state === 'initializing') images.begin();
    if (state === 'ready') caughtUp();
    if (state === 'lost') adding.lost();
    connection.show(state);
    view.dataset.feed = state;
  },
});

const connection = new Connection({ label: element('connection'), bar: element('trouble') }, () => feed.retryNow());

const moves = new Moves(feed, images, {
  onChange: (id) => board.changed(id),
  onRefused: ({ fileName }, { message }) => notice(`${fileName} could not be moved: ${message}.`),
});

const board = new Board(
  { surface, layer, pending: element('pending'), dots: element('dots'), tile: template('tile') },
  images,
  camera,
  moves,
);

const adding = new Adding({ board, camera, feed, images }, showStart);

/** Everything that there is has been named. */
function caughtUp() {
  const first = !complete;
  complete = true;
  images.ready();
  moves.resume();
  board.mend();
  adding.ready();
  showStart();
  if (!first) return;
  if (!camera.chosen) showMost(false);
  announce(images.size === 1 ? 'One picture.' : `${images.size} pictures.`);
}

/** The board is empty, or it is not. */
function showStart() {
  if (!complete) return;
  view.dataset.state = images.size > 0 || adding.size > 0 ? 'filled' : 'empty';
}

/** @param {boolean} glide */
function showMost(glide) {
  const bounds = boundsOf([...images.values()].map((record) => board.boxOf(record)));
  if (!bounds) return;
  camera.fit(bounds, { smallest: SMALLEST_START, glide });
  const latest = images.get(images.ids[images.ids.length - 1]);
  if (latest && camera.scale === SMALLEST_START) camera.fit(boxOf(latest), { glide });
}

/**
 * Whoever has not chosen a part of the board sees what comes, wherever it lies.
 * @param {import('./types.js').ImageRecord} record
 */
function follow(record) {
  if (!camera.chosen && !camera.sees(boxOf(record))) showMost(true);
}

/** @param {string} id */
async function remove(id) {
  const tile = board.tile(id);
  const name = images.get(id)?.fileName ?? '';
  if (feed.state !== 'ready') return notice(NOT_NOW);
  tile?.element.classList.add('is-leaving');
  try {
    await feed.send('Image:delete', { id });
  } catch (error) {
    tile?.element.classList.remove('is-leaving');
    if (images.get(id)) notice(`${name} could not be deleted: ${/** @type {Error} */ (error).message}.`);
  }
}

function fitAll() {
  const bounds = boundsOf([...images.values()].map((record) => board.boxOf(record)));
  if (bounds) camera.fit(bounds);
}

const stuck = () => notice(NOT_NOW);
navigate(surface, camera, dragging({ board, camera, moves, onStuck: stuck }));
useZoomControls(surface, camera, element('zoom'), fitAll);
useKeyboard(layer, moves, {
  onDelete: (id) => void remove(id),
  onMoved(id) {
    const record = images.get(id);
    if (!record) return;
    camera.reveal(board.boxOf(record));
    announce(`${record.fileName} moved.`);
  },
  onStuck: stuck,
});
layer.addEventListener('click', (event) => {
  if (/** @type {Element} */ (event.target).closest('[data-delete]')) void remove(idOf(event.target));
});
takeFiles({
  onFiles: (files, point) => void adding.add(files, point),
  onHover: (hover) => showHover(surface, hover),
  onNothing: () => notice('There was no file in what was dropped.'),
});
for (const name of ['pick', 'photograph']) {
  const input = /** @type {HTMLInputElement} */ (element(`${name}-input`));
  usePicker(input, document.querySelectorAll(`[data-${name}]`), (files) => void adding.add(files, null));
}
const keys = /** @type {HTMLDialogElement} */ (element('keys'));
element('show-keys').addEventListener('click', () => keys.showModal());

new ResizeObserver(([{ contentRect }]) => camera.resize(contentRect.width, contentRect.height)).observe(surface);
camera.start(surface.clientWidth, surface.clientHeight);
rememberView(camera);
feed.start();
