// @ts-check
// The page of the board: constructs its parts and connects them.

import { useArranging } from './board/arranging.js';
import { banding } from './board/band.js';
import { Board } from './board/board.js';
import { Camera, rememberView } from './board/camera.js';
import { useControls } from './board/controls.js';
import { Deletions } from './board/deletions.js';
import { dragging } from './board/drag.js';
import { BoardEvents } from './board/events.js';
import { History } from './board/history.js';
import { useKeyboard, useShortcuts } from './board/keyboard.js';
import { Moves } from './board/moves.js';
import { navigate, useZoomControls } from './board/navigate.js';
import { useOverview } from './board/overview.js';
import { Selecting } from './board/selecting.js';
import { Selection } from './board/selection.js';
import { Connection } from './feed/connection.js';
import { Feed } from './feed/feed.js';
import { Images } from './feed/images.js';
import { Lightbox } from './lightbox/lightbox.js';
import { announce, announcer } from './ui/announce.js';
import { confirmed } from './ui/confirm.js';
import { showModal } from './ui/modal.js';
import { notice } from './ui/notice.js';
import { element, template } from './ui/page.js';
import { onNameChange, personName, useName } from './ui/person.js';
import { Adding, showHover } from './upload/adding.js';
import { acceptFiles, usePicker } from './upload/dropzone.js';

/** The number of photos that are deleted without a question. */
const MAX_UNASKED = 10;
const OFFLINE = 'You’re offline. Try again when the connection is back.';

const surface = element('surface');
const layer = element('layer');
const view = document.documentElement;
view.dataset.state = 'loading';
/** True if the feed has sent all images once. */
let complete = false;

const added = announcer((name) => `${name} added.`, (count) => `${count} photos added.`);
/** The uploads of this page, which are not reported as events. @type {Set<string>} */
const mine = new Set();
const events = new BoardEvents(element('events'));

const camera = new Camera(() => {
  board?.viewChanged();
  element('scale').textContent = `${Math.round(camera.scale * 100)} %`;
});

const images = new Images({
  onUpdate(record, before, live) {
    moves.confirm(record);
    board.changed(record.id);
    adding.arrived(record.id);
    lightbox.changed(record);
    if (before) return;
    const restored = deletions.added(record.id);
    if (!live) return;
    reportArrival(record, restored);
    showStart();
    if (!restored) overview.follow(record);
  },
  onRemove(record, live) {
    moves.remove(record.id);
    selection.remove(record.id);
    board.changed(record.id);
    adding.deleted(record.id);
    const reported = lightbox.removed(record);
    if (live || deletions.isRequested(record.id)) deletions.deleted(record, !reported);
    if (live) showStart();
  },
});

const feed = new Feed('board', {
  onUpdate: (record) => images.update(record),
  onDelete: (id) => images.delete(id),
  onPeople: (count) => connection.showPeople(count),
  onUploadBegin: (data) => adding.begin(data),
  onUploadEnd: (data) => adding.placeholders.end(data),
  onState(state) {
    if (state === 'initializing') {
      images.begin();
      if (personName()) sendName();
    }
    if (state === 'ready') caughtUp();
    if (state === 'lost') adding.lost();
    connection.show(state);
    view.dataset.feed = state;
  },
});

const connection = new Connection({ label: element('connection'), bar: element('trouble') }, () => feed.retryNow());

const moves = new Moves(feed, images, {
  onChange: (id) => board.changed(id),
  onEnd: (changes) => history.add({ kind: 'move', changes }),
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

const overview = useOverview({ board, camera, images });

const askName = useName({ button: element('show-name'), form: /** @type {HTMLFormElement} */ (element('name-form')) });
onNameChange(sendName);

/** Tells this session's name to the server, which an older one refuses. */
function sendName() {
  feed.send('User:name', { name: personName() }).catch(() => {});
}

const adding = new Adding({ board, camera, feed, images }, {
  askName,
  onAdd: (id) => mine.add(id),
  onChange: showStart,
});

/** The feed has sent all images, at the start and after each reconnection. */
function caughtUp() {
  const first = !complete;
  complete = true;
  images.ready();
  moves.resume();
  board.retryFailed();
  lightbox.retryFailed();
  adding.ready();
  showStart();
  if (!first) return;
  lightbox.start();
  overview.start();
  announce(images.size === 1 ? '1 photo.' : `${images.size} photos.`);
}

/** Shows or hides the welcome of an empty board. */
function showStart() {
  if (!complete) return;
  view.dataset.state = images.size > 0 || adding.size > 0 ? 'filled' : 'empty';
}

/**
 * @param {import('./feed/types.js').ImageRecord} record
 * @param {boolean} restored
 */
function reportArrival(record, restored) {
  if (restored && deletions.takeRestored(record.id)) announce(`${record.fileName} restored.`);
  else if (mine.has(record.id) && !restored) added(record.fileName);
  else events.add(restored ? 'restored' : 'added', record);
}

/** @param {string} id */
function giveFocus(id) {
  if (lightbox.shown) lightbox.focus();
  else board.focus(id);
}

/** @param {string[]} ids */
function reportMove(ids) {
  const records = ids.flatMap((id) => images.get(id) ?? []);
  if (records.length === 0) return;
  if (records.length === 1) camera.reveal(board.boxOf(records[0]));
  announce(`${records.length === 1 ? records[0].fileName : `${records.length} photos`} moved.`);
}

const onOffline = () => notice(OFFLINE);
const deletions = new Deletions({
  toast: element('deleted'),
  feed,
  images,
  board,
  onOffline,
  onLeave: giveFocus,
  onBack: (id) => history.forget(id),
});
const history = new History(feed, images, {
  onDelete: (ids) => deletions.remove(ids),
  onRestore: (ids) => deletions.restore(ids),
  settled: () => moves.settled(),
  onNotice: notice,
  onDone: announce,
  onChange: showHistory,
});

/** @param {string[]} ids */
async function remove(ids) {
  if (feed.state !== 'ready') return onOffline();
  if (ids.length > MAX_UNASKED && !(await confirmed(`Delete ${ids.length} photos for everyone?`, 'Delete'))) return;
  const there = ids.filter((id) => images.get(id));
  if (feed.state !== 'ready') return onOffline();
  if (there.length === 0) return;
  history.add({ kind: 'delete', ids: [...there] });
  await deletions.remove(there);
}

function undo() {
  if (feed.state !== 'ready') onOffline();
  else if (history.canUndo) history.undo();
  else deletions.undo();
}

function redo() {
  if (feed.state !== 'ready') onOffline();
  else history.redo();
}

/** @param {string[]} ids The images that were undone or redone; the first gets the focus of a button that is disabled. */
function showHistory(ids) {
  const active = document.activeElement;
  for (const [name, can] of /** @type {const} */ ([['undo', history.canUndo], ['redo', history.canRedo]])) {
    if (active === element(name) && !can) giveFocus(ids[0] ?? '');
    element(name).toggleAttribute('disabled', !can);
  }
  element('history').hidden = !history.canUndo && !history.canRedo;
}
const selecting = new Selecting(
  { surface, button: element('select'), bar: element('selection') },
  selection,
  images,
  (ids) => void remove(ids),
);
const everywhere = element('everywhere');
const lightbox = new Lightbox({ dialog: /** @type {HTMLDialogElement} */ (element('lightbox')), everywhere }, images, {
  onDelete: (id) => void remove([id]),
  onUndo: (id) => void deletions.restore([id]),
  async onAlt(id, alt) {
    const before = images.get(id)?.alt ?? '';
    await feed.send('Image:update', { id, alt });
    history.add({ kind: 'describe', id, before, after: alt });
  },
  previewOf: (id) => board.tile(id)?.preview ?? '',
  onClose: (id) => board.focus(id),
});

useKeyboard(surface, { moves, selection }, {
  onDelete: (ids) => void remove(ids),
  onMoved: reportMove,
  onOpen: (id) => lightbox.open(id),
  onOffline,
});
const grasp = dragging({ board, camera, moves, selection, adds: selecting.adds, onOpen: (id) => lightbox.open(id), onOffline });
const band = element('band');
navigate(surface, camera, {
  grasp: (event) => grasp(event) ?? (selecting.bands(event) ? banding(band, { camera, images, selection }, event) : null),
  onTap: () => selection.clear(),
});
useShortcuts({ selecting, onUndo: undo, onRedo: redo });
element('undo').addEventListener('click', undo);
element('redo').addEventListener('click', redo);
useArranging(element('arrange-menu'), { images, selection }, (places, text) => {
  if (feed.state !== 'ready') return onOffline();
  history.arrange(places).then(() => announce(text), ({ message }) => notice(`The photos could not be arranged: ${message}.`));
});
useZoomControls(surface, camera, element('zoom'), overview.fitAll);
useControls(layer, { onOpen: (id) => lightbox.open(id), onDelete: (id) => void remove([id]) });
acceptFiles({
  onFiles: (files, point) => void adding.add(files, point),
  onHover: (hover) => showHover(surface, hover),
  onMessage: notice,
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
showHistory([]);
feed.start();
