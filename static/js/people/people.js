// @ts-check
// The people on the board: initials in their colours, and a list with all names.

import { find } from '../ui/page.js';
import { personName } from '../ui/person.js';

/** @typedef {import('../feed/types.js').Person} Person */

/** The number of initials that are shown. */
const MAX_INITIALS = 5;

export class People {
  #button;
  #list;
  /** @type {Person[]} */
  #people = [];
  #count = 0;
  #live = false;

  /**
   * @param {HTMLElement} button Opens the list.
   * @param {HTMLElement} list A popover.
   */
  constructor(button, list) {
    this.#button = button;
    this.#list = list;
    list.addEventListener('toggle', (event) => {
      button.setAttribute('aria-expanded', String(/** @type {ToggleEvent} */ (event).newState === 'open'));
    });
  }

  /**
   * @param {number} count Connected viewers, this page included.
   * @param {Person[]} people Those with a name. Who has several sessions is listed once.
   */
  update(count, people) {
    this.#count = count;
    this.#people = [...new Map(people.map((person) => [person.name, person])).values()];
    this.#write(count - people.length);
  }

  /** @param {boolean} live Nobody is shown while there is no connection. */
  connected(live) {
    this.#live = live;
    this.#show();
  }

  /** The colour of a person who is here. @param {string} name */
  colourOf(name) {
    return this.#people.find((person) => person.name === name)?.colour;
  }

  /** @param {number} guests People without a name. */
  #write(guests) {
    const shown = this.#people.slice(0, MAX_INITIALS);
    const more = this.#people.length - shown.length + guests;
    const initials = shown.map(initialsOf);
    if (more > 0 && shown.length > 0) initials.push(part('people-more', `+${more}`));
    find(this.#button, '[data-initials]').replaceChildren(...initials);
    find(this.#button, '[data-count]').textContent = `${this.#count} here`;
    this.#button.classList.toggle('has-names', shown.length > 0);
    const names = this.#people.map(nameOf);
    if (guests > 0) names.push(guests === 1 ? '1 guest' : `${guests} guests`);
    this.#button.title = names.join(', ');
    find(this.#button, '[data-names]').textContent = `${this.#count} people here: ${names.join(', ')}`;
    find(this.#list, 'ul').replaceChildren(...this.#people.map(itemOf), ...guestItem(guests));
    this.#show();
  }

  #show() {
    const hidden = !this.#live || this.#count < 2;
    if (hidden && this.#list.matches(':popover-open')) this.#list.hidePopover();
    this.#button.hidden = hidden;
  }
}

/** @param {Person} person */
function nameOf({ name }) {
  return name === personName() ? `${name} (you)` : name;
}

/** The first letters of the first and the last word. @param {Person} person */
function initialsOf({ name, colour }) {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = [words[0], ...words.slice(1).slice(-1)].map((word) => [...(word ?? '?')][0]);
  const initials = part('initials', letters.join('').toUpperCase());
  initials.style.setProperty('--colour', colour);
  initials.setAttribute('aria-hidden', 'true');
  return initials;
}

/** @param {Person} person */
function itemOf(person) {
  const item = document.createElement('li');
  item.append(initialsOf(person), part('', nameOf(person)));
  return item;
}

/** @param {number} count */
function guestItem(count) {
  if (count <= 0) return [];
  const item = document.createElement('li');
  item.className = 'people-guests';
  item.textContent = `${count === 1 ? '1 guest' : `${count} guests`} without a name`;
  return [item];
}

/**
 * @param {string} className
 * @param {string} textContent
 */
function part(className, textContent) {
  return Object.assign(document.createElement('span'), { className, textContent });
}
