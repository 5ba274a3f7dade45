// @ts-check
// The board's page: makes the parts and connects them.

import { Adding, showHover } from './upload/adding.js';
import { announce, announcer } from './ui/announce.js';
import { banding } from './board/band.js';
import { Board } from './board/board.js';
import { Camera, rememberView } from './board/camera.js';
import { Connection } from './feed/connection.js';
import { useControls } from './board/controls.js';
import { dragging } from './board/drag.js';
import { takeFiles, usePicker } from './upload/dropzone.js';
import { Feed } from './feed/feed.js';
import { boundsOf, boxOf } from './board/geometry.js';
import { Images } from './feed/images.js';
import { useKeyboard, useShortcuts } from './board/keyboard.js';
import { showModal } from './ui/modal.js';
import { Moves } from './board/moves.js';
import { navigate, useZoomControls } from './board/navigate.js';
import { BoardEvents } from './board/events.js';
import { notice } from './ui/notice.js';
import { element, template } from './ui/page.js';
import { useName } from './ui/person.js';
import { Deletions } from './board/deletions.js';
import { Selecting } from './board/selecting.js';
import { Selection } from './board/selection.js';
import { Lightbox } from './lightbox/lightbox.js';

/** A new page that would have to be smaller than this to show everything shows the latest instead. */
const SMALLEST_START = 0.25;
const NOT_NOW = 'You’re offline. Try again when the connection is back.';

const surface = element('surface');
const layer = element('layer');
const view = document.documentElement;
view.dataset.state = 'loading';
/** Whether everything has been named once. */
let complete = false;

const added = announcer((name) => `${name} added.`, (count) => `${count} photos added.`);
/** What was added here, which is no events. @type {Set<string>} */
const mine = new Set();
const events = new BoardEvents(element('events'));

const camera = new Camera(() => {
  board?.moved();
  element('scale').textContent = `${Math.round(camera.scale * 100)} %`;
});

const images = new Images({
  onUpdate(record, before, live) {
    moves.seen(record);
    board.changed(record.id);
    adding.arrived(record.id);
    lightbox.changed(record);
    if (before) return;
    const restored = deletions.back(record.id);
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
    const said = lightbox.removed(record);
    if (live || deletions.asksFor(record.id)) deletions.gone(record, !said);
    if (live) showStart();
  },
});

const feed = new Feed('board', {
  onUpdate: (record) => images.update(record),
  onDelete: (id) => images.delete(id),
  onPeople: (count) => connection.showPeople(count),
  onUploadBegin: (data) => adding.remoteUploads.begin(data),
  onUploadEnd: (data) => adding.remoteUploads.end(data),
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
  lightbox.mend();
  adding.ready();
  showStart();
  if (!first) return;
  lightbox.start();
  if (!camera.chosen) showMost(false);
  announce(images.size === 1 ? '1 photo.' : `${images.size} photos.`);
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
 * @param {import('./feed/types.js').ImageRecord} record
 */
function follow(record) {
  if (!camera.chosen && !camera.sees(boxOf(record))) showMost(true);
}

/**
 * @param {import('./feed/types.js').ImageRecord} record
 * @param {boolean} restored
 */
function tellArrival(record, restored) {
  if (restored && deletions.asked(record.id)) announce(`${record.fileName} is back.`);
  else if (mine.has(record.id) && !restored) added(record.fileName);
  else events.tell(restored ? 'restored' : 'added', record);
}

/** @param {string} id */
function giveFocus(id) {
  if (lightbox.shown) lightbox.focus();
  else board.focus(id);
}

/** @param {string[]} ids */
function tellMoved(ids) {
  const records = ids.flatMap((id) => images.get(id) ?? []);
  if (records.length === 0) return;
  if (records.length === 1) camera.reveal(board.boxOf(records[0]));
  announce(`${records.length === 1 ? records[0].fileName : `${records.length} photos`} moved.`);
}

function fitAll() {
  const bounds = boundsOf([...images.values()].map((record) => board.boxOf(record)));
  if (bounds) camera.fit(bounds);
}

const stuck = () => notice(NOT_NOW);
const deletions = new Deletions({ toast: element('deleted'), feed, images, board, onStuck: stuck, onLeave: giveFocus });
const selecting = new Selecting(
  { surface, button: element('select'), bar: element('selection') },
  selection,
  images,
  (ids) => void deletions.remove(ids),
);
const everywhere = element('everywhere');
const lightbox = new Lightbox({ dialog: /** @type {HTMLDialogElement} */ (element('lightbox')), everywhere }, images, {
  onDelete: (id) => void deletions.remove([id]),
  onUndo: (id) => void deletions.restore([id]),
  onAlt: (id, alt) => feed.send('Image:update', { id, alt }),
  previewOf: (id) => board.tile(id)?.preview ?? '',
  onClose: (id) => board.focus(id),
});

useKeyboard(surface, { moves, selection }, {
  onDelete: (ids) => void deletions.remove(ids),
  onMoved: tellMoved,
  onOpen: (id) => lightbox.open(id),
  onStuck: stuck,
});
const grasp = dragging({ board, camera, moves, selection, adds: selecting.adds, onOpen: (id) => lightbox.open(id), onStuck: stuck });
const band = element('band');
navigate(surface, camera, {
  grasp: (event) => grasp(event) ?? (selecting.bands(event) ? banding(band, { camera, images, selection }, event) : null),
  onTap: () => selection.clear(),
});
useShortcuts({ selecting, onUndo: () => deletions.undo() });
useZoomControls(surface, camera, element('zoom'), fitAll);
useName({ button: element('show-name'), form: /** @type {HTMLFormElement} */ (element('name-form')) });
useControls(layer, { onOpen: (id) => lightbox.open(id), onDelete: (id) => void deletions.remove([id]) });
takeFiles({
  onFiles: (files, point) => void adding.add(files, point),
  onHover: (hover) => showHover(surface, hover),
  onNothing: () => notice('Nothing to add: no files were dropped.'),
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
