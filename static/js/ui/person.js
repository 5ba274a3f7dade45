// @ts-check
// The name of the user: kept in this browser, and sent only with uploads.

const KEY = 'name';
const LONGEST = 80;

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
  try {
    if (unsaved) storage()?.setItem(KEY, unsaved);
    else storage()?.removeItem(KEY);
  } catch {
    // Storage is full.
  }
  reportChange();
}

/**
 * Connects the button that shows the name with its form.
 * @param {{ button: HTMLElement, form: HTMLFormElement }} elements
 */
export function useName({ button, form }) {
  const input = /** @type {HTMLInputElement} */ (form.elements.namedItem('name'));
  const label = /** @type {HTMLElement} */ (button.querySelector('[data-text]'));
  const show = () => {
    const name = personName();
    label.textContent = name || 'Your name';
    button.title = name ? `You are ${name}` : 'Set your name';
    button.setAttribute('aria-label', name ? `Your name: ${name}` : 'Your name');
    button.classList.toggle('is-unnamed', !name);
  };
  form.addEventListener('beforetoggle', () => (input.value = personName()));
  form.addEventListener('toggle', (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === 'open';
    button.setAttribute('aria-expanded', String(open));
    if (open) input.select();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    saveName(input.value);
    form.hidePopover();
    button.focus();
  });
  onNameChange(show);
  addEventListener('storage', ({ key }) => key === KEY && reportChange());
  show();
}
