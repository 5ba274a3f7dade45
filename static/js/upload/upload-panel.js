// @ts-check
// What is being added, counted, and what a person can do about all of it at once.

import { find } from './upload-list.js';

/** @typedef {import('./item.js').UploadState} UploadState */

/** Above this many it is tiresome to answer each. */
const SINGLE = 1;

/**
 * @param {HTMLElement} panel
 * @param {UploadState[]} states
 */
export function writePanel(panel, states) {
  const count = (/** @type {UploadState} */ state) => states.filter((each) => each === state).length;
  const [failed, known] = [count('failed'), count('duplicate')];
  const open = states.length - failed - known - count('saved');
  const [text, again, twins] = [find(panel, '[data-open]'), find(panel, '[data-failed]'), find(panel, '[data-known]')];
  text.hidden = open === 0;
  text.textContent = `Adding ${open === 1 ? '1 photo' : `${open} photos`}…`;
  again.hidden = failed === 0;
  again.textContent = `${failed} not added`;
  twins.hidden = known <= SINGLE;
  find(twins, '[data-text]').textContent = `${known} already on the board`;
  panel.hidden = text.hidden && again.hidden && twins.hidden;
}
