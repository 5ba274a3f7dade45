// @ts-check
// The settings of a board: its title, whether it is locked or moderated, and clearing it.

import { currentBoard, onBoardChange } from '../access/access.js';
import { messageOf, request } from '../ui/api.js';
import { confirmed } from '../ui/confirm.js';
import { notice } from '../ui/notice.js';
import { find } from '../ui/page.js';
import { boardPath, onBoard } from '../ui/site.js';

const SAVED_MS = 3_000;

/**
 * @param {HTMLElement} panel
 * @param {() => number} count The number of photos on the board.
 */
export function useSettings(panel, count) {
  const field = /** @type {HTMLInputElement} */ (find(panel, '[data-title]'));
  const state = find(panel, '[data-title-state]');
  const switches = /** @type {HTMLInputElement[]} */ ([...panel.querySelectorAll('[data-setting]')]);
  const clear = /** @type {HTMLButtonElement} */ (find(panel, '[data-clear]'));
  /** The title that the field was last given. */
  let written = '';
  const write = () => {
    const board = currentBoard();
    if (!board) return;
    // A title that is being typed is not replaced.
    if (field.value === written) field.value = board.title;
    written = board.title;
    for (const input of switches) input.checked = board.settings[/** @type {'locked' | 'moderated'} */ (input.dataset.setting)];
  };
  const saveTitle = async () => {
    const title = field.value.trim();
    if (title === currentBoard()?.title || title === '') {
      field.value = written = currentBoard()?.title ?? '';
      return;
    }
    if (!(await change({ title }))) return;
    written = field.value = title;
    state.textContent = 'Saved.';
    setTimeout(() => (state.textContent = ''), SAVED_MS);
  };
  onBoardChange(write);
  field.addEventListener('change', () => void saveTitle());
  find(panel, '[data-title-form]').addEventListener('submit', (event) => {
    event.preventDefault();
    field.blur();
    field.focus();
  });
  for (const input of switches) {
    input.addEventListener('change', async () => {
      if (!(await change({ [input.dataset.setting ?? '']: input.checked }))) write();
    });
  }
  clear.addEventListener('click', () => void clearBoard(count()));
  return { open: write };
}

/**
 * @param {{ title?: string, locked?: boolean, moderated?: boolean }} settings
 * @returns {Promise<boolean>} False if they could not be saved.
 */
async function change(settings) {
  try {
    await request('PATCH', boardPath(), settings);
    return true;
  } catch (error) {
    notice(`The settings could not be saved. ${messageOf(error)}`);
    return false;
  }
}

/** @param {number} count */
async function clearBoard(count) {
  if (count === 0) return notice('The board is empty.');
  const photos = count === 1 ? 'The photo moves' : `All ${count} photos move`;
  const hint = `${photos} to Recently deleted, from where everything can be restored for a while.`;
  if (!(await confirmed('Clear the board?', 'Clear the board', hint))) return;
  try {
    const { deleted } = await request('DELETE', onBoard('images'));
    notice(deleted === 1 ? '1 photo moved to Recently deleted.' : `${deleted} photos moved to Recently deleted.`);
  } catch (error) {
    notice(`The board could not be cleared. ${messageOf(error)}`);
  }
}
