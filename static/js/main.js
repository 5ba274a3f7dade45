// @ts-check
// The board's page: makes the parts and connects them.

import { addFiles, showHover } from './adding.js';
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
import { Pending } from './pending.js';
import { Uploads } from './upload.js';

/** A new page that would have to be smaller than this to show everything shows the latest instead. */
const SMALLEST_START = 0.25;
const NOT_NOW = 'There is no connection right now; changes are possible again when it is back.';

const surface = element('surface');
const layer = element('layer');
const view = document.documentElement;
view.dataset.state = 'loading';

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
    pending.arrived(record.id);
    if (before || !live) return;
    added(record.fileName);
    showStart();
    follow(record);
  },
  onRemove(record, live) {
    moves.forget(record.id);
    board.changed(record.id);
    pending.gone(record.id);
    if (!live) return;
    deleted(record.fileName);
    showStart();
  },
});

const feed = new Feed('board', {
  onUpdate: (record) => images.update(record),
  onDelete: (id) => images.delete(id),
  onPeople: (count) => connection.showPeople(count),
  onState(state) {
    if (state === 'initializing') images.begin();
    if (state === 'ready') caughtUp();
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

const uploads = new Uploads((upload) => pending.write(upload));

const pending = new Pending(
  { list: element('pending'), template: template('upload') },
  {
    tile: (id) => board.tile(id),
    onRetry: (upload) => uploads.retry(upload),
    onCancel: (upload) => uploads.cancel(upload),
    onChange: (cards) => showUploads([...cards].map(({ upload }) => upload.state)),
  },
);

/** Everything that there is has been named. */
function caughtUp() {
  const first = view.dataset.state === 'loading';
  images.ready();
  pending.ready((id) => images.get(id) !== undefined);
  moves.resume();
  board.mend();
  uploads.resume();
  showStart();
  if (!first) return;
  if (!camera.chosen) showMost(false);
  announce(images.size === 1 ? 'One picture.' : `${images.size} pictures.`);
}

/** The board is empty, or it is not. */
function showStart() {
  view.dataset.state = images.size > 0 || pending.size > 0 ? 'filled' : 'empty';
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

/** @param {import('./upload.js').UploadState[]} states */
function showUploads(states) {
  const failed = states.filter((state) => state === 'failed').length;
  const open = states.length - failed - states.filter((state) => state === 'saved').length;
  element('uploads').hidden = open + failed === 0;
  element('uploads-open').textContent = open > 0 ? `Adding ${open === 1 ? 'one picture' : `${open} pictures`}…` : '';
  element('uploads-failed').hidden = failed === 0;
  element('uploads-failed').textContent = `${failed} not added`;
  showStart();
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

/** @param {string} id */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found;
}

/** @param {string} id */
function template(id) {
  return /** @type {HTMLTemplateElement} */ (element(`${id}-template`));
}

const add = addFiles.bind(null, { camera, uploads, pending });
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
  onFiles: (files, point) => void add(files, point),
  onHover: (hover) => showHover(surface, hover),
  onNothing: () => notice('There was no file in what was dropped.'),
});
const picker = /** @type {HTMLInputElement} */ (element('picker'));
usePicker(picker, document.querySelectorAll('[data-pick]'), (files) => void add(files, null));
element('uploads-failed').addEventListener('click', () => {
  const rect = pending.focusFailed();
  if (rect) camera.reveal({ ...camera.toBoard(rect), w: rect.width / camera.scale, h: rect.height / camera.scale });
});
const keys = /** @type {HTMLDialogElement} */ (element('keys'));
element('show-keys').addEventListener('click', () => keys.showModal());

new ResizeObserver(([{ contentRect }]) => camera.resize(contentRect.width, contentRect.height)).observe(surface);
camera.start(surface.clientWidth, surface.clientHeight);
rememberView(camera);
feed.start();
