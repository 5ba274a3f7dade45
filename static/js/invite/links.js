// @ts-check
// The links of a board: making, listing and revoking them.

import { messageOf, request } from '../ui/api.js';
import { confirmed } from '../ui/confirm.js';
import { notice } from '../ui/notice.js';
import { find } from '../ui/page.js';
import { boardPath } from '../ui/site.js';
import { offerLink } from './address.js';
import { linkCard } from './link-card.js';
import { expiryText, roleText } from './roles.js';

/**
 * @typedef {object} Link
 * @property {string} id
 * @property {string} role
 * @property {string} [name]
 * @property {string} createdAt
 * @property {string} [expiresAt]
 */

const DAY_MS = 24 * 3_600_000;
const ONCE = 'Copy it now: it is not shown again.';

export class Links {
  #form;
  #made;
  #list;
  #empty;
  #item;

  /**
   * @param {HTMLElement} panel
   * @param {HTMLTemplateElement} item
   */
  constructor(panel, item) {
    this.#form = /** @type {HTMLFormElement} */ (find(panel, '[data-new-link]'));
    this.#made = find(panel, '[data-made]');
    this.#list = find(panel, '[data-links]');
    this.#empty = find(panel, '[data-no-links]');
    this.#item = item;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#make();
    });
    find(this.#made, '[data-done]').addEventListener('click', () => {
      this.#reset();
      find(this.#form, '[data-submit]').focus();
    });
  }

  /** The panel is opened. */
  open() {
    this.#reset();
    void this.#load();
  }

  /** Forgets the address of the link that was made. */
  close() {
    this.#reset();
    this.#list.replaceChildren();
  }

  #reset() {
    this.#form.reset();
    this.#form.hidden = false;
    this.#made.hidden = true;
    find(this.#made, '[data-card]').replaceChildren();
  }

  async #make() {
    const button = /** @type {HTMLButtonElement} */ (find(this.#form, '[data-submit]'));
    const fields = new FormData(this.#form);
    const [role, name, days] = ['role', 'name', 'days'].map((key) => String(fields.get(key) ?? '').trim());
    const expiresAt = Number(days) > 0 ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : undefined;
    button.disabled = true;
    try {
      /** @type {Link & { url: string }} */
      const link = await request('POST', `${boardPath()}/links`, { role, name: name || undefined, expiresAt });
      if (role === 'add') offerLink(link.url);
      this.#show(link);
      void this.#load();
    } catch (error) {
      notice(`The link could not be made. ${messageOf(error)}`);
    }
    button.disabled = false;
  }

  /** @param {Link & { url: string }} link */
  #show(link) {
    const heading = link.name ? `Link for ${link.name}` : 'New link';
    const about = `${roleText(link.role)}. ${ONCE}`;
    find(this.#made, '[data-card]').replaceChildren(linkCard(link, { heading, about }));
    this.#form.hidden = true;
    this.#made.hidden = false;
    find(this.#made, 'button').focus();
  }

  async #load() {
    try {
      /** @type {{ links: Link[] }} */
      const { links } = await request('GET', `${boardPath()}/links`);
      const now = new Date();
      this.#list.replaceChildren(...links.reverse().map((link) => this.#itemOf(link, now)));
      this.#empty.textContent = links.length === 0 ? 'No links yet.' : '';
    } catch (error) {
      this.#empty.textContent = `The links could not be loaded. ${messageOf(error)}`;
    }
  }

  /**
   * @param {Link} link
   * @param {Date} now
   */
  #itemOf(link, now) {
    const item = /** @type {HTMLElement} */ (this.#item.content.firstElementChild?.cloneNode(true));
    const name = link.name || roleText(link.role);
    find(item, '[data-name]').textContent = name;
    find(item, '[data-about]').textContent = [link.name ? roleText(link.role) : '', expiryText(link.expiresAt, now)].filter(Boolean).join(' · ');
    const button = find(item, 'button');
    button.setAttribute('aria-label', `Revoke ${name}`);
    button.addEventListener('click', () => void this.#revoke(link.id, name, item));
    return item;
  }

  /**
   * @param {string} id
   * @param {string} name
   * @param {HTMLElement} item
   */
  async #revoke(id, name, item) {
    const question = `Revoke the link “${name}”?`;
    if (!(await confirmed(question, 'Revoke', 'Whoever came by it loses access at once. Their photos stay.'))) return;
    try {
      await request('DELETE', `${boardPath()}/links/${id}`);
    } catch (error) {
      return notice(`The link could not be revoked. ${messageOf(error)}`);
    }
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    (next?.querySelector('button') ?? find(this.#form, '[data-submit]')).focus();
    void this.#load();
  }
}
