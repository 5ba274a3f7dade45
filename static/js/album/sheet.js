// @ts-check
// The elements of the album: a section for each day with a list of photos, only for the rows that are to be shown.

import { find } from '../ui/page.js';
import { dayText } from './days.js';
import { boxesOf } from './layout.js';
import { Photo } from './photo.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */
/** @typedef {import('./layout.js').Day} Day */
/** @typedef {import('./layout.js').Layout} Layout */
/** @typedef {import('./layout.js').Row} Row */

export class Sheet {
  /** By id. @type {Map<string, Photo>} */
  photos = new Map();
  /** By the time of midnight. @type {Map<number, { element: HTMLElement, list: HTMLElement }>} */
  #days = new Map();
  #content;
  #templates;

  /**
   * @param {HTMLElement} content
   * @param {{ photo: HTMLTemplateElement, day: HTMLTemplateElement }} templates
   */
  constructor(content, templates) {
    this.#content = content;
    this.#templates = templates;
  }

  /**
   * Shows the photos of these rows, and removes all others. Elements that stay are never moved in the document, because
   * that would take the focus from them.
   * @param {Row[]} rows From top to bottom.
   * @param {Layout} layout
   * @param {{ moved: number | null, fresh: Set<string> }} options For `moved` see `Photo.place`; `fresh` photos are faded in.
   */
  show(rows, layout, { moved, fresh }) {
    const { records } = layout;
    const ids = new Set(rows.flatMap(({ start, end }) => records.slice(start, end).map(({ id }) => id)));
    for (const [id, photo] of this.photos) if (!ids.has(id)) this.#remove(id, photo);
    const lists = this.#showDays([...new Set(rows.map(({ day }) => day))]);
    /** @type {Map<HTMLElement, Element | null>} */
    const next = new Map();
    for (const row of rows) {
      const { day } = row;
      const list = /** @type {HTMLElement} */ (lists.get(day));
      boxesOf(row, layout).forEach((box, offset) => {
        const at = row.start + offset;
        const photo = this.photos.get(records[at].id) ?? this.#add(records[at], fresh);
        const cursor = next.has(list) ? next.get(list) ?? null : list.firstElementChild;
        if (photo.element === cursor) {
          next.set(list, cursor.nextElementSibling);
        } else {
          list.insertBefore(photo.element, cursor);
          next.set(list, cursor);
        }
        photo.place(box, { top: day.y, at: at - day.start, of: day.end - day.start, moved });
      });
    }
  }

  /** Removes everything. */
  clear() {
    for (const [id, photo] of this.photos) this.#remove(id, photo);
    this.#showDays([]);
  }

  /**
   * @param {ImageRecord} record
   * @param {Set<string>} fresh
   */
  #add(record, fresh) {
    const photo = new Photo(this.#templates.photo, record);
    photo.element.classList.toggle('is-new', fresh.has(record.id));
    this.photos.set(record.id, photo);
    return photo;
  }

  /**
   * @param {string} id
   * @param {Photo} photo
   */
  #remove(id, photo) {
    this.photos.delete(id);
    photo.remove();
  }

  /**
   * @param {Day[]} days
   * @returns {Map<Day, HTMLElement>} The list of each day.
   */
  #showDays(days) {
    const times = new Set(days.map(({ date }) => date.getTime()));
    for (const [time, { element }] of this.#days) {
      if (times.has(time)) continue;
      this.#days.delete(time);
      element.remove();
    }
    let cursor = this.#content.firstElementChild;
    return new Map(days.map((day) => {
      const { element, list } = this.#day(day);
      if (element === cursor) cursor = element.nextElementSibling;
      else this.#content.insertBefore(element, cursor);
      const count = day.end - day.start;
      element.style.transform = `translateY(${day.y}px)`;
      find(element, '[data-day]').textContent = dayText(day.date, new Date());
      find(element, '[data-count]').textContent = count === 1 ? '1 photo' : `${count} photos`;
      return [day, list];
    }));
  }

  /** @param {Day} day */
  #day({ date }) {
    const known = this.#days.get(date.getTime());
    if (known) return known;
    const fragment = /** @type {DocumentFragment} */ (this.#templates.day.content.cloneNode(true));
    const element = /** @type {HTMLElement} */ (fragment.firstElementChild);
    const heading = find(element, '[data-day]');
    heading.id = `day-${date.getTime()}`;
    element.setAttribute('aria-labelledby', heading.id);
    const day = { element, list: find(element, '[data-list]') };
    this.#days.set(date.getTime(), day);
    return day;
  }
}
