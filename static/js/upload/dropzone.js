// @ts-check
// Accepts files that are dropped anywhere on the page, pasted, or chosen in a file picker.

import { carriesFiles, filesOf } from './files.js';

/** @typedef {import('../feed/types.js').Point} Point */

/**
 * @typedef {object} DropHandlers
 * @property {(files: File[], point: Point | null) => void} onFiles With the drop point on the page; null if pasted.
 * @property {(hover: { point: Point, count: number } | null) => void} onHover Files are dragged over the page; null when they leave.
 * @property {() => void} onNothing Something without a file was dropped or pasted.
 */

/** The end of a drag outside the window is not always reported; inside, `dragover` fires at least every 350 ms. */
const DRAG_SILENCE_MS = 1_000;

/** @param {DropHandlers} handlers */
export function acceptFiles({ onFiles, onHover, onNothing }) {
  let silence = 0;
  const leave = () => {
    clearTimeout(silence);
    onHover(null);
  };
  /** @param {DragEvent} event */
  const hover = (event) => {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    clearTimeout(silence);
    silence = window.setTimeout(leave, DRAG_SILENCE_MS);
    const count = Array.from(event.dataTransfer.items).filter(({ kind }) => kind === 'file').length;
    onHover({ point: { x: event.clientX, y: event.clientY }, count });
  };
  /**
   * @param {DataTransfer} transfer
   * @param {Point | null} point
   */
  const accept = async (transfer, point) => {
    const files = await filesOf(transfer).catch(() => []);
    if (files.length > 0) onFiles(files, point);
    else onNothing();
  };
  addEventListener('dragenter', hover);
  addEventListener('dragover', hover);
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) leave();
  });
  addEventListener('drop', (event) => {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    leave();
    void accept(event.dataTransfer, { x: event.clientX, y: event.clientY });
  });
  addEventListener('paste', (event) => {
    if (!carriesFiles(event.clipboardData)) return;
    event.preventDefault();
    void accept(event.clipboardData, null);
  });
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
