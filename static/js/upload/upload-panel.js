// @ts-check
// The panel that counts uploads, with actions for all of a kind at once.

import { find } from './upload-list.js';

/** @typedef {import('./item.js').Upload} Upload */
/** @typedef {import('./item.js').UploadState} UploadState */

/** A single card is answered on the card; the panel offers an action from two on. */
const SEVERAL = 2;

/**
 * @param {HTMLElement} panel
 * @param {Upload[]} uploads
 */
export function writePanel(panel, uploads) {
  const count = (/** @type {UploadState} */ state) => uploads.filter((upload) => upload.state === state).length;
  const [failed, duplicates] = [count('failed'), count('duplicate')];
  const shrinkable = uploads.filter(({ state, canShrink }) => state === 'failed' && canShrink).length;
  const open = uploads.length - failed - duplicates - count('saved');
  const [progress, failures, shrink, known] = ['open', 'failed', 'shrink', 'known'].map((name) => find(panel, `[data-${name}]`));
  progress.hidden = open === 0;
  progress.textContent = `Adding ${open === 1 ? '1 photo' : `${open} photos`}…`;
  failures.hidden = failed === 0;
  failures.textContent = `${failed} not added`;
  shrink.hidden = shrinkable < SEVERAL;
  shrink.textContent = `Shrink and add ${shrinkable}`;
  known.hidden = duplicates < SEVERAL;
  find(known, '[data-text]').textContent = `${duplicates} already on the board`;
  panel.hidden = progress.hidden && failures.hidden && known.hidden;
}
