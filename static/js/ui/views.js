// @ts-check
// The views of the board, of which one is shown. The address names it (`#album`), so that it can be shared, and Back returns
// to the one before. While the address names something else, such as a photo, the view is kept in the history entry.

/**
 * The operations that a view may lack do nothing.
 * @typedef {object} View
 * @property {() => void} open
 * @property {() => void} close
 * @property {(id: string) => void} [focus] Focuses a photo, or the view without such a photo.
 * @property {(id: string) => void} [reveal] Shows where a photo is.
 * @property {(id: string) => string} [previewOf] The URL of the file that shows a photo; empty if there is none.
 * @property {import('../lightbox/lightbox.js').Order} [order] The order of its photos; otherwise the oldest is first.
 */

const KEY = 'view';
/** The views that an address without a name can show. */
const HOMES = ['board', 'album'];
/** Also a phone that is held sideways. */
const PHONE = '(pointer: coarse) and (max-width: 640px), (pointer: coarse) and (max-height: 480px)';

/** Null if the browser blocks storage. */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

export class Views {
  /** The name of the view that is shown; at first the board, which the page begins with. */
  name = 'board';
  /** The last view that was shown of those in `HOMES`. */
  #home = 'board';
  #links;
  #views;

  /**
   * @param {HTMLElement} control Holds a link for each view, `data-view`. Those of views that are not there are hidden.
   * @param {Record<string, View>} views
   */
  constructor(control, views) {
    this.#views = views;
    this.#links = /** @type {HTMLAnchorElement[]} */ ([...control.querySelectorAll('[data-view]')]);
    for (const link of this.#links) {
      link.hidden = !this.#has(link.dataset.view);
      link.addEventListener('click', (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.choose(link.dataset.view ?? '');
      });
    }
    addEventListener('popstate', () => this.#show(this.#named(location.hash && this.name)));
  }

  /** The view that is shown. @returns {View} */
  get shown() {
    return this.#views[this.name];
  }

  /** Shows the view that the address names, or the one to begin with. */
  start() {
    this.#home = this.#named('', HOMES);
    this.#show(this.#named(''));
  }

  /** The user chooses a view. @param {string} name */
  choose(name) {
    if (name === this.name) return;
    history.pushState({ chosen: true }, '', `#${name}`);
    this.#show(name);
    if (!HOMES.includes(name)) return;
    try {
      storage()?.setItem(KEY, name);
    } catch {
      // Storage is full.
    }
  }

  /** Returns from a view that an address without a name cannot show. */
  leave() {
    if (history.state?.chosen) {
      history.back();
      return;
    }
    history.replaceState({ ...history.state, view: this.#home }, '', `#${this.#home}`);
    this.#show(this.#home);
  }

  /** @param {string} name */
  #show(name) {
    history.replaceState({ ...history.state, view: name }, '');
    document.documentElement.dataset.view = name;
    for (const link of this.#links) {
      if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    if (HOMES.includes(name)) this.#home = name;
    if (name === this.name) return;
    this.shown.close();
    this.name = name;
    this.shown.open();
  }

  /**
   * The view of the current history entry.
   * @param {string} other That of an entry which the user has typed and which names no view; empty for the one to begin with.
   * @param {string[]} [among] The views that may be named.
   */
  #named(other, among = Object.keys(this.#views)) {
    const names = [location.hash.slice(1), history.state?.view, other, storage()?.getItem(KEY)];
    return names.find((name) => among.includes(name)) ?? (matchMedia(PHONE).matches ? 'album' : 'board');
  }

  /** @param {string | null | undefined} name */
  #has(name) {
    return Object.hasOwn(this.#views, name ?? '');
  }
}
