// @ts-check
// The page /latest, as in the tutorial: a drop zone and the latest image, whose bytes come from the socket.

import { updateBoard, whyNotAdd } from '../access/access.js';
import { useBoardHeader } from '../access/board-header.js';
import { showRefusal } from '../access/refusal.js';
import { announce } from '../ui/announce.js';
import { Connection } from '../feed/connection.js';
import { acceptFiles, usePicker } from '../upload/dropzone.js';
import { Feed } from '../feed/feed.js';
import { notice } from '../ui/notice.js';
import { element, template } from '../ui/page.js';
import { personName } from '../ui/person.js';
import { pageOf } from '../ui/site.js';
import { Upload } from '../upload/item.js';
import { KeptUploads } from '../upload/kept.js';
import { UploadQueue } from '../upload/upload-queue.js';
import { UploadList } from '../upload/upload-list.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/** The time within which the server sends the previous image after a deletion. After it, there is none. */
const PREVIOUS_TIMEOUT_MS = 400;

const figure = element('images');
const frame = element('frame');
const dropzone = element('dropzone');

let shown = { id: '', url: '' };
/** True if the server has sent an image since `initializing`. */
let received = false;
let emptyTimer = 0;

const feed = new Feed('latest', {
  onUpdate: (record, file) => file && void show(record, file),
  onDelete: remove,
  onState(state) {
    if (state === 'initializing') received = false;
    if (state === 'ready') {
      if (!received) clear();
      uploads.resume();
      void addKept();
    }
    if (state === 'lost') uploads.hold();
    connection.show(state);
    document.documentElement.dataset.feed = state;
  },
  onBoard: updateBoard,
  onClose: showRefusal,
  onPeople: (count) => connection.showPeople(count),
});
const connection = new Connection({ label: element('connection'), bar: element('trouble') }, () => feed.retryNow());
const kept = new KeptUploads();
const uploads = new UploadQueue(write, undefined, (upload) => kept.has(upload));
const list = new UploadList(element('uploads'), template('upload'), {
  retry: (upload) => uploads.retry(upload),
  shrink: (upload) => void uploads.shrink(upload),
  cancel(upload) {
    uploads.cancel(upload);
    kept.forget(upload);
    list.remove(upload);
  },
});

/**
 * @param {ImageRecord} record
 * @param {Blob} file
 */
async function show(record, file) {
  received = true;
  clearTimeout(emptyTimer);
  const url = URL.createObjectURL(file);
  const image = new Image();
  image.alt = record.alt || record.fileName;
  image.src = url;
  const before = shown;
  shown = { id: record.id, url };
  // Replaced once decoded, which avoids a flash. An image that this browser cannot decode is shown by its alt text.
  await image.decode().catch(() => {});
  URL.revokeObjectURL(before.url);
  if (shown.url !== url) return;
  frame.replaceChildren(image);
  element('name').textContent = record.fileName;
  element('about').textContent = `${record.width} × ${record.height}`;
  figure.dataset.id = record.id;
  figure.hidden = false;
  document.documentElement.dataset.state = 'filled';
  announce(`Showing ${record.fileName}.`);
}

/** @param {string} id */
function remove(id) {
  if (id !== shown.id) return;
  announce(`${element('name').textContent} was deleted.`);
  clearTimeout(emptyTimer);
  emptyTimer = window.setTimeout(clear, PREVIOUS_TIMEOUT_MS);
}

function clear() {
  URL.revokeObjectURL(shown.url);
  shown = { id: '', url: '' };
  frame.replaceChildren();
  figure.hidden = true;
  delete figure.dataset.id;
  document.documentElement.dataset.state = 'empty';
}

/** @param {Upload} upload A changed upload. */
function write(upload) {
  list.write(upload);
  kept.follow(upload);
}

/** @param {File[]} files */
function add(files) {
  start(files.map((file) => new Upload(file, { author: personName() })));
}

/** Uploads what an earlier page could not send. */
async function addKept() {
  start(await kept.takeOver());
}

/** @param {Upload[]} added */
function start(added) {
  for (const upload of added) {
    list.add(upload);
    void uploads.add(upload);
  }
}

acceptFiles({
  onFiles: add,
  onHover: (hover) => dropzone.classList.toggle('is-drop-target', hover !== null),
  onMessage: notice,
  whyNot: whyNotAdd,
});
usePicker(/** @type {HTMLInputElement} */ (element('picker')), document.querySelectorAll('[data-pick]'), add);
element('board').setAttribute('href', pageOf());
useBoardHeader({ titles: [], locked: element('locked') }, 'Latest');
feed.start();
