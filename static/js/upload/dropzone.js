// @ts-check
// Takes files dropped anywhere on the page, pasted, or chosen with a picker button.

import { carriesFiles, filesOf } from './files.js';

/** @typedef {import('../feed/types.js').Point} Point */

/**
 * @typedef {object} DropHandlers
 * @property {(files: File[], point: Point | null) => void} onFiles With the place on the page; null if there is none.
 * @property {(hover: { point: Point, count: number } | null) => void} onHover Files are held over the page, or no longer.
 * @property {() => void} onNothing Something was dropped that holds no file.
 */

/** A drag that ends outside of the window is sometimes not reported; it reports itself every 350 ms while it is inside. */
const DRAG_SILENCE_MS = 1_000;

/** @param {DropHandlers} handlers */
export function takeFiles({ onFiles, onHover, onNothing }) {
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
  const take = async (transfer, point) => {
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
    void take(event.dataTransfer, { x: event.clientX, y: event.clientY });
  });
  addEventListener('paste', (event) => {
    if (!carriesFiles(event.clipboardData)) return;
    event.preventDefault();
    void take(event.clipboardData, null);
  });
}

/**
 * Lets every one of the buttons open the picker.
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
