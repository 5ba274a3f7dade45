// @ts-check
// The page of the board: constructs its parts and connects them.

import { mayChange, onBoardChange, updateBoard, whyNotAdd } from './access/access.js';
import { useBoardHeader } from './access/board-header.js';
import { showRefusal } from './access/refusal.js';
import { WaitingBar, approve } from './access/waiting-bar.js';
import { Album } from './album/album.js';
import { useArranging } from './board/arranging.js';
import { banding } from './board/band.js';
import { Bin } from './board/bin.js';
import { Board } from './board/board.js';
import { Camera, rememberView } from './board/camera.js';
import { Captions } from './board/captions.js';
import { useControls } from './board/controls.js';
import { Deletions } from './board/deletions.js';
import { dragging } from './board/drag.js';
import { BoardEvents } from './board/events.js';
import { highlight } from './board/highlight.js';
import { History } from './board/history.js';
import { useKeyboard, useShortcuts } from './board/keyboard.js';
import { BoardMap } from './board/map.js';
import { Moves } from './board/moves.js';
import { navigate, useZoomControls } from './board/navigate.js';
import { useOverview } from './board/overview.js';
import { usePrinting } from './board/printing.js';
import { Selecting } from './board/selecting.js';
import { Selection } from './board/selection.js';
import { Connection } from './feed/connection.js';
import { Feed } from './feed/feed.js';
import { Images } from './feed/images.js';
import { showCodes } from './invite/address.js';
import { useHostPanel } from './invite/host-panel.js';
import { useInvite } from './invite/invite.js';
import { Compare } from './lightbox/compare.js';
import { Lightbox } from './lightbox/lightbox.js';
import { Movers } from './people/movers.js';
import { People } from './people/people.js';
import { Show } from './show/show.js';
import { announce, announcer } from './ui/announce.js';
import { confirmed } from './ui/confirm.js';
import { showModal } from './ui/modal.js';
import { notice } from './ui/notice.js';
import { element, template } from './ui/page.js';
import { onNameChange, personName, useName } from './ui/person.js';
import { latestPage, onBoard } from './ui/site.js';
import { nameOf } from './ui/text.js';
import { Views } from './ui/views.js';
import { Adding, showHover } from './upload/adding.js';
import { acceptFiles, usePicker } from './upload/dropzone.js';

/** The number of photos that are deleted without a question. */
const MAX_UNASKED = 10;
const ALBUM_REFRESH_MS = 200;
const OFFLINE = 'You’re offline. Try again when the connection is back.';

const surface = element('surface');
const layer = element('layer');
const view = document.documentElement;
view.dataset.state = 'loading';
/** True if the feed has sent all images once. */
let complete = false;
let albumTimer = 0;

const added = announcer((name) => `${name} added.`, (count) => `${count} photos added.`);
/** The uploads of this page, which are not reported as events. @type {Set<string>} */
const mine = new Set();
const events = new BoardEvents(element('events'));

const camera = new Camera(() => {
  board?.viewChanged();
  element('scale').textContent = `${Math.round(camera.scale * 100)} %`;
});

/** @type {Images} */
const images = new Images({
  onUpdate(record, before, live) {
    const mayBeOwn = moves.at(record.id) !== undefined || history.hasSent(record.id);
    moves.confirm(record);
    board.changed(record.id);
    if (live && before) album.changed(record);
    else if (live) album.added(record);
    else if (!complete) refreshAlbum();
    adding.arrived(record.id);
    lightbox.changed(record);
    compare.changed(record.id);
    captions.changed(record);
    if (before && live) movers.changed(record, before, mayBeOwn);
    show.changed(record);
    waitingBar.update(record);
    if (before?.waiting && !record.waiting) reportApproval(record);
    if (before) return;
    if (complete) show.added(record);
    bin.changed();
    const own = deletions.takeRestored(record.id);
    const restored = deletions.added(record.id) || own;
    if (own) history.restored(record);
    if (!live) return;
    reportArrival(record, restored, own);
    showStart();
    if (!restored) overview.follow(record);
  },
  onRemove(record, live, by) {
    moves.remove(record.id);
    selection.remove(record.id);
    captions.deleted(record.id);
    board.changed(record.id);
    if (live) album.removed(record);
    adding.deleted(record.id);
    compare.changed(record.id);
    bin.changed();
    waitingBar.remove(record.id);
    show.removed(record);
    const reported = lightbox.removed(record, by);
    if (live || deletions.isRequested(record.id)) deletions.deleted(record, !reported, by);
    if (live) showStart();
  },
});

const feed = new Feed('board', {
  // The view that a reload restores. After a loss of the connection the page still shows all images.
  view: () => (camera.chosen && !complete ? camera.view : null),
  onUpdate: (record) => images.update(record),
  onBatch: () => !complete && overview.start(),
  onDelete: (id, by) => images.delete(id, by),
  onPeople: (count, list) => people.update(count, list),
  onBoard: updateBoard,
  onClose: showRefusal,
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
    people.connected(state === 'ready');
    view.dataset.feed = state;
  },
});

const connection = new Connection({ label: element('connection'), bar: element('trouble') }, () => feed.retryNow());

const people = new People(element('people'), element('people-list'));
onNameChange(sendName);

/** Tells the server the name of this session. A lost connection sends it again. */
function sendName() {
  feed.send('User:name', { name: personName() }).catch(() => {});
}

const moves = new Moves(feed, images, {
  onChange: (id) => board.changed(id),
  onEnd: (changes) => history.add({ kind: 'move', changes }),
  onRefused: (record, { message }) => notice(`${nameOf(record, 'A photo')} could not be moved: ${message}.`),
});

const selection = new Selection((changed) => {
  for (const id of changed) board.changed(id);
  selecting.show();
});

/** @type {Board} */
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

const movers = new Movers(board, (name) => people.colourOf(name));

const overview = useOverview({ board, camera, images });
const map = new BoardMap({ canvas: /** @type {HTMLCanvasElement} */ (element('map')), button: element('back') }, { camera, images }, () => {
  overview.showNewest();
  surface.focus({ preventScroll: true });
});
board.onDraw = (moved) => map.draw(moved && complete);

const album = new Album(
  { element: element('album-view'), photo: template('album-photo'), day: template('album-day') },
  images,
  { onOpen: (id) => lightbox.open(id), onDelete: (id) => void remove([id]), onApprove: (id) => void approve(id) },
);
const show = new Show({ dialog: /** @type {HTMLDialogElement} */ (element('show')) }, images, {
  onClose: () => views.name === 'show' && views.leave(),
});
const views = new Views(element('views'), {
  board: {
    open() {
      surface.hidden = false;
      board.resume();
    },
    close() {
      selecting.stop();
      surface.hidden = true;
      board.pause();
    },
    focus: (id) => board.focus(id),
    reveal: (id) => highlight({ board, camera, images }, id),
    previewOf: (id) => board.tile(id)?.preview ?? '',
  },
  album,
  show,
});

const waitingBar = new WaitingBar(element('waiting'), { onShow: (id) => views.shown.reveal?.(id) });
const askName = useName({ button: element('show-name'), form: /** @type {HTMLFormElement} */ (element('name-form')) });
const adding = new Adding({ board, camera, feed, images }, {
  askName,
  onAdd: (id) => mine.add(id),
  onChange: showStart,
  onShow: (id) => views.shown.reveal?.(id),
});

/** The feed has sent all images, at the start and after each reconnection. */
function caughtUp() {
  const first = !complete;
  complete = true;
  images.ready();
  deletions.reconnected();
  moves.resume();
  board.retryFailed();
  board.loads.speedUp();
  album.refresh();
  lightbox.retryFailed();
  show.retryFailed();
  adding.ready();
  showStart();
  if (!first) return;
  lightbox.start();
  overview.start();
  announce(images.size === 1 ? '1 photo.' : `${images.size} photos.`);
}

/** Shows in the album what has arrived so far, while the feed sends all images for the first time. */
function refreshAlbum() {
  albumTimer ||= window.setTimeout(() => {
    albumTimer = 0;
    album.refresh();
  }, ALBUM_REFRESH_MS);
}

/** Shows or hides the welcome of an empty board. */
function showStart() {
  if (!complete) return;
  const state = images.size > 0 || adding.size > 0 ? 'filled' : 'empty';
  if (state === 'empty' && view.dataset.state !== state) void showCodes(element('welcome'));
  view.dataset.state = state;
}

/**
 * @param {import('./feed/types.js').ImageRecord} record
 * @param {boolean} restored
 * @param {boolean} own This page has restored it.
 */
function reportArrival(record, restored, own) {
  if (own) announce(`${nameOf(record, 'A photo')} restored.`);
  else if (mine.has(record.id) && !restored && record.waiting) announce(`${nameOf(record, 'A photo')} is waiting for approval.`);
  else if (mine.has(record.id) && !restored) added(nameOf(record, 'A photo'));
  else events.add(restored ? 'restored' : 'added', record);
}

/** @param {import('./feed/types.js').ImageRecord} record A photo that has been approved. */
function reportApproval(record) {
  if (complete) show.added(record);
  if (mine.has(record.id)) announce(`${nameOf(record, 'A photo')} was approved.`);
}

/** @param {string} id */
function giveFocus(id) {
  if (lightbox.shown) lightbox.focus();
  else views.shown.focus?.(id);
}

/** @param {string[]} ids */
function reportMove(ids) {
  const records = ids.flatMap((id) => images.get(id) ?? []);
  if (records.length === 0) return;
  if (records.length === 1) camera.reveal(board.boxOf(records[0]));
  announce(`${records.length === 1 ? nameOf(records[0], 'A photo') : `${records.length} photos`} moved.`);
}

const onOffline = () => notice(OFFLINE);
const deletions = new Deletions({
  toast: element('deleted'),
  feed,
  images,
  board,
  onOffline,
  onLeave: giveFocus,
  onShowAll: () => bin.open(),
  onBack: (id) => history.forget(id),
  hasOwnChanges: () => history.canUndo,
  onUndo: (ids) => history.undoDeletion(ids),
});
/** @type {History} */
const history = new History(feed, images, {
  onDelete: (ids) => deletions.remove(ids),
  onRestore: (ids) => deletions.restore(ids),
  settled: () => moves.settled(),
  onNotice: notice,
  onDone: announce,
  onChange: showHistory,
});

/** @param {string[]} all Those that this page may not delete are left out. */
async function remove(all) {
  const ids = all.filter((id) => mayChange(images.get(id)));
  if (ids.length === 0) return;
  if (feed.state !== 'ready') return onOffline();
  if (ids.length > MAX_UNASKED && !(await confirmed(`Delete ${ids.length} photos for everyone?`, 'Delete'))) return;
  const there = ids.filter((id) => images.get(id));
  if (feed.state !== 'ready') return onOffline();
  if (there.length === 0) return;
  history.add({ kind: 'delete', ids: [...there] });
  await deletions.remove(there);
}

/**
 * @param {string} id
 * @param {import('./feed/types.js').TextName} name
 * @param {string} text
 */
async function saveText(id, name, text) {
  const before = images.get(id)?.[name] ?? '';
  await feed.send('Image:update', { id, [name]: text });
  history.add({ kind: 'describe', name, id, before, after: text });
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
  for (const name of ['undo', 'redo']) element(name).hidden = !history.canUndo && !history.canRedo;
}
const selecting = new Selecting(
  { surface, button: element('select'), bar: element('selection') },
  selection,
  images,
  { onCompare: (ids) => compare.open(ids), onDelete: (ids) => void remove(ids) },
);
const everywhere = element('everywhere');
const lightbox = new Lightbox({ dialog: /** @type {HTMLDialogElement} */ (element('lightbox')), everywhere }, images, {
  onDelete: (id) => void remove([id]),
  onUndo: (id) => history.undoDeletion([id]),
  onApprove: (id) => void approve(id),
  onText: saveText,
  previewOf: (id) => views.shown.previewOf?.(id) ?? '',
  order: () => views.shown.order ?? images.order,
  onClose: (id) => views.shown.focus?.(id),
});
const bin = new Bin({ dialog: /** @type {HTMLDialogElement} */ (element('bin')), everywhere, item: template('deleted') }, async (ids) => {
  const { restored } = await deletions.restore(ids);
  bin.changed();
  if (restored.length > 0) history.add({ kind: 'restore', ids: restored });
});
element('show-bin').addEventListener('click', () => bin.open());
const compare = new Compare(
  { dialog: /** @type {HTMLDialogElement} */ (element('compare')), everywhere, pane: template('pane') },
  images,
  { previewOf: (id) => board.tile(id)?.preview ?? '', onClose: (id) => board.focus(id) },
);

useKeyboard(surface, { board, images, moves, selection }, {
  onDelete: (ids) => void remove(ids),
  onMoved: reportMove,
  onOpen: (id) => lightbox.open(id),
  onOffline,
});
const grasp = dragging({ board, camera, images, moves, selection, adds: selecting.adds, onOpen: (id) => lightbox.open(id), onOffline });
const band = element('band');
navigate(surface, camera, {
  grasp: (event) => grasp(event) ?? (selecting.bands(event) ? banding(band, { camera, images, selection }, event) : null),
  onTap: () => selection.clear(),
});
element('undo').addEventListener('click', undo);
element('redo').addEventListener('click', redo);
useArranging(element('arrange-menu'), { images, selection, reserved: () => adding.placeholders.boxes }, (places, text) => {
  if (feed.state !== 'ready') return onOffline();
  history.arrange(places).then(() => announce(text), ({ message }) => notice(`The photos could not be arranged: ${message}.`));
});
useZoomControls(surface, camera, element('zoom'), overview.fitAll);
usePrinting(images);
const openHostPanel = useHostPanel({ dialog: /** @type {HTMLDialogElement} */ (element('host')), everywhere }, () => images.size);
useInvite({ button: element('share'), popover: element('invite') }, openHostPanel);
const captions = new Captions(layer, { board, images, template: template('caption') }, (id, text) => saveText(id, 'caption', text));
useControls(layer, {
  onOpen: (id) => lightbox.open(id),
  onDelete: (id) => void remove([id]),
  onApprove: (id) => void approve(id),
});
acceptFiles({
  onFiles: (files, point) => void adding.add(files, surface.hidden ? null : point),
  onHover: (hover) => showHover(surface.hidden ? album.element : surface, hover),
  onMessage: notice,
  whyNot: whyNotAdd,
});
for (const name of ['pick', 'photograph']) {
  const input = /** @type {HTMLInputElement} */ (element(`${name}-input`));
  usePicker(input, document.querySelectorAll(`[data-${name}]`), (files) => void adding.add(files, null));
}
const keys = /** @type {HTMLDialogElement} */ (element('keys'));
const showKeys = () => showModal(keys, everywhere);
element('show-keys').addEventListener('click', showKeys);
useShortcuts(surface, { selecting, onUndo: undo, onRedo: redo, onHelp: showKeys });

useBoardHeader({
  lines: element('lines'),
  titles: /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-board-title]')]),
  locked: element('locked'),
});
element('latest').setAttribute('href', latestPage());
element('download').setAttribute('href', onBoard('images/download'));
onBoardChange((now, before) => {
  if (before && before.role === now.role && before.settings.locked === now.settings.locked && before.me === now.me) return;
  board.refresh();
  selecting.show();
  album.refresh();
  lightbox.accessChanged();
  waitingBar.write();
});

new ResizeObserver(([{ contentRect }]) => {
  if (!surface.hidden) camera.resize(contentRect.width, contentRect.height);
}).observe(surface);
camera.start(surface.clientWidth, surface.clientHeight);
rememberView(camera);
views.start();
showHistory([]);
feed.start();
