// @ts-check
// The title of the board and the notice that it is locked. Controls that this page may not use are hidden by
// access.css, which reads the role from the page.

import { effectiveRole, onBoardChange } from './access.js';

const PRODUCT = 'realtime-photo';
const LOCKED = 'This board is locked. Only hosts can change it.';

/**
 * @param {object} elements
 * @param {HTMLElement} [elements.lines] Holds the lines about the board. Its height is `--lines-height` on the page.
 * @param {HTMLElement[]} elements.titles Show the title.
 * @param {HTMLElement} elements.locked Says that the board is locked.
 * @param {string} [page] The name of the page, which stands before the title of the board.
 */
export function useBoardHeader({ lines, titles, locked }, page = '') {
  const { documentElement: view } = document;
  if (lines) new ResizeObserver(() => view.style.setProperty('--lines-height', `${lines.offsetHeight}px`)).observe(lines);
  onBoardChange(({ title, settings, role }) => {
    view.dataset.may = effectiveRole();
    document.title = [page, title || PRODUCT].filter(Boolean).join(' · ');
    for (const element of titles) {
      element.textContent = title || PRODUCT;
      element.title = title;
      element.classList.toggle('has-title', title !== '');
    }
    // For a viewer who may only look, the lock changes nothing.
    const isSaid = settings.locked && role !== 'view';
    locked.hidden = !isSaid;
    if (isSaid !== Boolean(locked.textContent)) locked.textContent = isSaid ? LOCKED : '';
  });
}
