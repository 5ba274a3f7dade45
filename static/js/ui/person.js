// @ts-check
// The name of whoever uses this browser: kept here, and told only with the images that are added.

const KEY = 'name';
const LONGEST = 80;

/** Null where the browser was told to keep nothing. */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** Where nothing can be kept, the name lasts as long as the page. */
let unkept = '';

/** The name; empty if none was given. */
export function personName() {
  return storage()?.getItem(KEY) ?? unkept;
}

/** @param {string} name */
function keepName(name) {
  unkept = [...name.replace(/\p{C}/gu, '').trim()].slice(0, LONGEST).join('').trim();
  try {
    if (unkept) storage()?.setItem(KEY, unkept);
    else storage()?.removeItem(KEY);
  } catch {
    // Full: it lasts as long as the page.
  }
}

/**
 * The button that shows the name, and the form that it opens.
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
    keepName(input.value);
    show();
    form.hidePopover();
    button.focus();
  });
  addEventListener('storage', ({ key }) => key === KEY && show());
  show();
}
