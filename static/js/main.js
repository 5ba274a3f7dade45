// @ts-check
// The board's page: makes the parts and connects them.

import { Adding, showHover } from './adding.js';
import { announce, announcer } from './announce.js';
import { banding } from './band.js';
import { Board } from './board.js';
import { Camera, rememberView } from './camera.js';
import { Connection } from './connection.js';
import { useControls } from './controls.js';
import { dragging } from './drag.js';
import { takeFiles, usePicker } from './dropzone.js';
import { Feed } from './feed.js';
import { Images, boundsOf, boxOf } from './images.js';
import { useKeyboard, useShortcuts } from './keyboard.js';
import { showModal } from './modal.js';
import { Moves } from './moves.js';
import { navigate, useZoomControls } from './navigate.js';
import { News } from './news.js';
import { notice } from './notice.js';
import { element, template } from './page.js';
import { useName } from './person.js';
import { Removing } from './removing.js';
import { Selecting } from './selecting.js';
import { Selection } from './selection.js';
import { Viewer } from './viewer.js';

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
/** What was added here, which is no news. @type {Set<string>} */
const mine = new Set();
const news = new News(element('news'));

const camera = new Camera(() => {
  board?.moved();
  element('scale').textContent = `${Math.round(camera.scale * 100)} %`;
});

const images = new Images({
  onUpdate(record, before, live) {
    moves.seen(record);
    board.changed(record.id);
    adding.arrived(record.id);
    viewer.changed(record);
    if (before) return;
    const restored = removing.back(record.id);
    if (!live) return;
    tellArrival(record, restored);
    showStart();
    if (!restored) follow(record);
  },
  onRemove(record, live) {
    moves.forget(record.id);
    selection.forget(record.id);
    board.changed(record.id);
    adding.gone(record.id);
    const said = viewer.removed(record);
    if (live || removing.asksFor(record.id)) removing.gone(record, !said);
    if (live) showStart();
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

const selection = new Selection((changed) => {
  for (const id of changed) board.changed(id);
  selecting.show();
});

const board = new Board(
  {
    surface,
    scene: element('scene'),
    sheet: element('sheet'),
    floor: element('floor'),
    layer,
    pending: element('pending'),
    dots: element('dots'),
    tile: template('tile'),
  },
  images,
  camera,
  moves,
  selection,
);

const adding = new Adding({ board, camera, feed, images }, {
  onAdd: (id) => mine.add(id),
  onChange: showStart,
});

/** Everything that there is has been named. */
function caughtUp() {
  const first = !complete;
  complete = true;
  images.ready();
  moves.resume();
  board.mend();
  viewer.mend();
  adding.ready();
  showStart();
  if (!first) return;
  viewer.start();
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

/**
 * @param {import('./types.js').ImageRecord} record
 * @param {boolean} restored
 */
function tellArrival(record, restored) {
  if (restored && removing.asked(record.id)) announce(`${record.fileName} is back.`);
  else if (mine.has(record.id) && !restored) added(record.fileName);
  else news.tell(restored ? 'restored' : 'added', record);
}

/** @param {string} id */
function giveFocus(id) {
  if (viewer.shown) viewer.focus();
  else board.focus(id);
}

/** @param {string[]} ids */
function tellMoved(ids) {
  const records = ids.flatMap((id) => images.get(id) ?? []);
  if (records.length === 0) return;
  if (records.length === 1) camera.reveal(board.boxOf(records[0]));
  announce(`${records.length === 1 ? records[0].fileName : `${records.length} pictures`} moved.`);
}

function fitAll() {
  const bounds = boundsOf([...images.values()].map((record) => board.boxOf(record)));
  if (bounds) camera.fit(bounds);
}

const stuck = () => notice(NOT_NOW);
const removing = new Removing({ toast: element('deleted'), feed, images, board, onStuck: stuck, onLeave: giveFocus });
const selecting = new Selecting(
  { surface, button: element('select'), bar: element('selection') },
  selection,
  images,
  (ids) => void removing.remove(ids),
);
const everywhere = element('everywhere');
const viewer = new Viewer({ dialog: /** @type {HTMLDialogElement} */ (element('viewer')), everywhere }, images, {
  onDelete: (id) => void removing.remove([id]),
  onUndo: (id) => void removing.restore([id]),
  onAlt: (id, alt) => feed.send('Image:update', { id, alt }),
  previewOf: (id) => board.tile(id)?.preview ?? '',
  onClose: (id) => board.focus(id),
});

useKeyboard(surface, { moves, selection }, {
  onDelete: (ids) => void removing.remove(ids),
  onMoved: tellMoved,
  onOpen: (id) => viewer.open(id),
  onStuck: stuck,
});
const grasp = dragging({ board, camera, moves, selection, adds: selecting.adds, onOpen: (id) => viewer.open(id), onStuck: stuck });
const band = element('band');
navigate(surface, camera, {
  grasp: (event) => grasp(event) ?? (selecting.bands(event) ? banding(band, { camera, images, selection }, event) : null),
  onTap: () => selection.clear(),
});
useShortcuts({ selecting, onUndo: () => removing.undo() });
useZoomControls(surface, camera, element('zoom'), fitAll);
useName({ button: element('show-name'), form: /** @type {HTMLFormElement} */ (element('name-form')) });
useControls(layer, { onOpen: (id) => viewer.open(id), onDelete: (id) => void removing.remove([id]) });
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
element('show-keys').addEventListener('click', () => showModal(keys, everywhere));

new ResizeObserver(([{ contentRect }]) => camera.resize(contentRect.width, contentRect.height)).observe(surface);
camera.start(surface.clientWidth, surface.clientHeight);
rememberView(camera);
feed.start();
