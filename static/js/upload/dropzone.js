// @ts-check
// Accepts what is dropped anywhere on the page or pasted: files, and photos of other web pages. Nothing that is dropped makes
// the browser leave the page.

import { carriesLinks, carriesOnlyLinks, fetchPhotos, linksOf } from './dropped-links.js';
import { carriesFiles, filesOf } from './files.js';

/** @typedef {import('../feed/types.js').Point} Point */

/**
 * @typedef {object} DropHandlers
 * @property {(files: File[], point: Point | null) => void} onFiles With the drop point on the page; null if pasted.
 * @property {(hover: { point: Point, count: number } | null) => void} onHover Files or links are dragged over the page; null when they leave.
 * @property {(sentence: string) => void} onMessage What cannot be added, and why.
 * @property {() => string} whyNot Why nothing can be added, as a sentence; empty if it can.
 */

/** The end of a drag outside the window is not always reported; inside, `dragover` fires at least every 350 ms. */
const DRAG_SILENCE_MS = 1_000;

/** After this time the page says that it is fetching photos. */
const SLOW_MS = 1_000;

const NOT_IN_A_FIELD = 'Photos can’t go in a text field: click outside it and paste again.';

/** @param {DropHandlers} handlers */
export function acceptFiles(handlers) {
  acceptDrops(handlers);
  acceptPastes(handlers);
}

/** @param {DropHandlers} handlers */
function acceptDrops(handlers) {
  const isOwn = watchOwnDrags();
  let silence = 0;
  /** True if the drag that is over the page has been refused. */
  let isRefused = false;
  const refuse = () => {
    clearTimeout(silence);
    silence = window.setTimeout(leave, DRAG_SILENCE_MS);
    if (!isRefused) handlers.onMessage(handlers.whyNot());
    isRefused = true;
  };
  const leave = () => {
    clearTimeout(silence);
    isRefused = false;
    handlers.onHover(null);
  };
  /** @param {DragEvent} event */
  const hover = (event) => {
    const { dataTransfer: transfer, clientX: x, clientY: y } = event;
    if (!transfer || belongsToField(event)) return leave();
    // Otherwise the browser would open what is dropped.
    event.preventDefault();
    const isPhoto = !isOwn() && (carriesFiles(transfer) || carriesLinks(transfer));
    const isAccepted = isPhoto && !handlers.whyNot();
    transfer.dropEffect = isAccepted ? 'copy' : 'none';
    if (isPhoto && !isAccepted) return refuse();
    if (!isAccepted) return leave();
    clearTimeout(silence);
    silence = window.setTimeout(leave, DRAG_SILENCE_MS);
    const count = Array.from(transfer.items).filter(({ kind }) => kind === 'file').length;
    handlers.onHover({ point: { x, y }, count });
  };
  addEventListener('dragenter', hover);
  addEventListener('dragover', hover);
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) leave();
  });
  addEventListener('drop', (event) => {
    const { dataTransfer: transfer, clientX: x, clientY: y } = event;
    leave();
    if (!transfer || belongsToField(event)) return;
    event.preventDefault();
    if (!isOwn() && !handlers.whyNot()) void accept(transfer, { x, y }, handlers);
  });
}

/** @param {DropHandlers} handlers */
function acceptPastes(handlers) {
  addEventListener('paste', (event) => {
    const { clipboardData: transfer } = event;
    if (!transfer || !(carriesFiles(transfer) || carriesOnlyLinks(transfer))) return;
    if (isTextField(event.target)) {
      // The field takes the text, if there is some, and nothing else.
      if (!transfer.types.includes('text/plain')) handlers.onMessage(NOT_IN_A_FIELD);
      return;
    }
    event.preventDefault();
    if (handlers.whyNot()) handlers.onMessage(handlers.whyNot());
    else void accept(transfer, null, handlers);
  });
}

/**
 * Adds the files of a transfer, or else the photos that it refers to, and says what could not be added.
 * @param {DataTransfer} transfer
 * @param {Point | null} point
 * @param {DropHandlers} handlers
 */
async function accept(transfer, point, { onFiles, onMessage }) {
  const hasFiles = carriesFiles(transfer);
  // Both read the transfer now: it is empty after the event.
  const [finding, links] = [filesOf(transfer), linksOf(transfer)];
  const { files, unreadable } = await finding;
  if (files.length > 0) onFiles(files, point);
  if (unreadable.length > 0) onMessage(`${listed(unreadable)} could not be read.`);
  if (files.length + unreadable.length > 0) return;
  if (links.addresses.length === 0) return onMessage(nothing(hasFiles, point !== null));
  const slow = setTimeout(() => onMessage('Getting the photo…'), SLOW_MS);
  const { photos, messages } = await fetchPhotos(links);
  clearTimeout(slow);
  if (photos.length > 0) onFiles(photos, point);
  messages.forEach(onMessage);
}

/**
 * @param {boolean} hasFiles
 * @param {boolean} isDrop
 */
function nothing(hasFiles, isDrop) {
  if (hasFiles) return 'Nothing to add: no files were dropped.';
  return isDrop ? 'Nothing to add: this is text, not a photo.' : 'Nothing to add: copy the photo itself and paste it here.';
}

/** @param {string[]} names */
function listed(names) {
  return names.length > 2 ? `${names[0]} and ${names.length - 1} others` : names.join(' and ');
}

/**
 * Returns a function that tells whether something of this page is being dragged, such as a link or selected text.
 * @returns {() => boolean}
 */
function watchOwnDrags() {
  let isOwn = false;
  const end = () => {
    isOwn = false;
  };
  addEventListener('dragstart', () => (isOwn = true), true);
  // An element that is removed meanwhile reports no `dragend`. Pointer events come only after the drag.
  for (const type of ['dragend', 'pointerdown', 'pointermove']) addEventListener(type, end, true);
  return () => isOwn;
}

/** Text that is dropped on a text field belongs to the field; files do not. @param {DragEvent} event */
function belongsToField({ target, dataTransfer }) {
  return isTextField(target) && !carriesFiles(dataTransfer);
}

/** @param {EventTarget | null} target */
function isTextField(target) {
  const fields = 'input:not([type=checkbox], [type=radio]), textarea, [contenteditable]';
  return target instanceof Element && target.closest(fields) !== null;
}

/**
 * Lets each of the buttons open the file picker.
 * @param {HTMLInputElement} input
 * @param {Iterable<Element>} buttons
 * @param {(files: File[]) => void} onFiles
 */
export function usePicker(input, buttons, onFiles) {
  for (const button of buttons) button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const files = Array.from(input.files ?? []);
    input.value = '';
    if (files.length > 0) onFiles(files);
  });
}
