// @ts-check
// Making a board: asks for its title, and then shows its links, which are shown only once.

import { linkCard } from '../invite/link-card.js';
import { messageOf, request } from '../ui/api.js';
import { showModal } from '../ui/modal.js';
import { notice } from '../ui/notice.js';
import { find } from '../ui/page.js';
import { pageOf, pathOf } from '../ui/site.js';

/** @typedef {{ id: string, title: string, links: { id: string, role: string, url: string }[] }} MadeBoard */

/** @type {Record<string, { heading: string, about: string }>} */
const WORDS = {
  host: { heading: 'For the host', about: 'Opens everything, also links and settings. Keep it to yourself.' },
  add: { heading: 'For guests', about: 'Lets them add photos and change their own.' },
};

export class NewBoard {
  #dialog;
  #everywhere;
  #form;
  #onMade;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLElement} everywhere
   * @param {() => void} onMade
   */
  constructor(dialog, everywhere, onMade) {
    this.#dialog = dialog;
    this.#everywhere = everywhere;
    this.#onMade = onMade;
    this.#form = /** @type {HTMLFormElement} */ (find(dialog, '[data-form]'));
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#make();
    });
    for (const name of ['close', 'done']) find(dialog, `[data-${name}]`).addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => this.#reset());
  }

  open() {
    this.#reset();
    showModal(this.#dialog, this.#everywhere);
    /** @type {HTMLElement} */ (this.#form.elements.namedItem('title')).focus();
  }

  #reset() {
    this.#form.reset();
    this.#form.hidden = false;
    find(this.#dialog, '[data-made]').hidden = true;
    find(this.#dialog, '[data-cards]').replaceChildren();
    find(this.#dialog, '[data-heading]').textContent = 'New board';
  }

  async #make() {
    const button = /** @type {HTMLButtonElement} */ (find(this.#form, 'button'));
    const title = String(new FormData(this.#form).get('title') ?? '').trim();
    if (!title) return;
    button.disabled = true;
    try {
      this.#show(await request('POST', pathOf('boards'), { title }));
      this.#onMade();
    } catch (error) {
      notice(`The board could not be made. ${messageOf(error)}`);
    }
    button.disabled = false;
  }

  /** @param {MadeBoard} board */
  #show({ id, title, links }) {
    const made = find(this.#dialog, '[data-made]');
    const cards = links.map((link) => linkCard(link, WORDS[link.role] ?? { heading: link.role, about: '' }));
    const once = Object.assign(document.createElement('p'), {
      className: 'boards-once',
      textContent: 'Copy these links now: they are not shown again. A host can make new ones.',
    });
    find(made, '[data-cards]').replaceChildren(once, ...cards);
    find(this.#dialog, '[data-heading]').textContent = title;
    /** @type {HTMLAnchorElement} */ (find(made, '[data-open]')).href = pageOf(id);
    this.#form.hidden = true;
    made.hidden = false;
    find(made, 'button').focus();
  }
}
