// @ts-check
// The name of the user: kept in this browser, and asked for once.

const KEY = 'name';
const ASKED_KEY = 'name-asked';
const LONGEST = 80;
/** The time for which uploads wait for an answer, from the last key. */
const PATIENCE_MS = 20_000;

/** Null if the browser blocks storage. */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** The name while storage is blocked or full: lasts as long as the page. */
let unsaved = '';
let wasAsked = false;
/** @type {((name: string) => void)[]} */
const listeners = [];

/** The name; empty if none is set. */
export function personName() {
  return storage()?.getItem(KEY) ?? unsaved;
}

/** Calls `listener` after every change of the name, also in another tab. @param {(name: string) => void} listener */
export function onNameChange(listener) {
  listeners.push(listener);
}

function reportChange() {
  for (const listener of listeners) listener(personName());
}

/** @param {string} name */
function saveName(name) {
  unsaved = [...name.replace(/\p{C}/gu, '').trim()].slice(0, LONGEST).join('').trim();
  store(KEY, unsaved);
  reportChange();
}

/** The name has been set or declined, and is not asked for again. */
function noteAsked() {
  wasAsked = true;
  store(ASKED_KEY, 'true');
}

/**
 * @param {string} key
 * @param {string} value Empty to remove it.
 */
function store(key, value) {
  try {
    if (value) storage()?.setItem(key, value);
    else storage()?.removeItem(key);
  } catch {
    // Storage is full.
  }
}

/**
 * Connects the button that shows the name with its form.
 * @param {{ button: HTMLElement, form: HTMLFormElement }} elements
 * @returns {() => Promise<void>} Asks for the name unless it is set or was asked for before. Resolves when that has been
 *   answered or dismissed, or after a time without an answer.
 */
export function useName({ button, form }) {
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem('name'));
  const label = /** @type {HTMLElement} */ (button.querySelector('[data-text]'));
  const skip = /** @type {HTMLElement} */ (form.querySelector('[data-skip]'));
  const show = () => {
    const name = personName();
    label.textContent = name || 'Your name';
    button.title = name ? `You are ${name}` : 'Set your name';
    button.setAttribute('aria-label', name ? `Your name: ${name}` : 'Your name');
    button.classList.toggle('is-unnamed', !name);
  };
  skip.addEventListener('click', () => form.hidePopover());
  form.addEventListener('beforetoggle', () => (input.value = personName()));
  form.addEventListener('toggle', (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === 'open';
    button.setAttribute('aria-expanded', String(open));
    // The keyboard of a phone comes only when it is asked for.
    if (open && (skip.hidden || matchMedia('(pointer: fine)').matches)) input.select();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    saveName(input.value);
    noteAsked();
    form.hidePopover();
    // A question gives the focus back to where it was.
    if (skip.hidden) button.focus();
  });
  onNameChange(show);
  addEventListener('storage', ({ key, newValue }) => {
    if (key !== KEY) return;
    unsaved = newValue ?? '';
    reportChange();
  });
  show();
  return asking(form, input, skip);
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} input
 * @param {HTMLElement} skip The button that is shown only with the question.
 */
function asking(form, input, skip) {
  /** @type {Promise<void> | null} */
  let answer = null;
  form.addEventListener('toggle', (event) => {
    if (skip.hidden || /** @type {ToggleEvent} */ (event).newState === 'open') return;
    // However it was dismissed.
    noteAsked();
    skip.hidden = true;
  });
  return async () => {
    // An open dialog makes everything else inert.
    if (wasAsked || storage()?.getItem(ASKED_KEY) || personName() || document.querySelector('dialog:modal')) return;
    answer ??= new Promise((resolve) => {
      form.addEventListener('toggle', (event) => /** @type {ToggleEvent} */ (event).newState === 'closed' && resolve());
      let timer = 0;
      const wait = () => {
        clearTimeout(timer);
        timer = window.setTimeout(resolve, PATIENCE_MS);
      };
      input.addEventListener('input', wait);
      wait();
      skip.hidden = false;
      form.showPopover();
    });
    return answer;
  };
}
