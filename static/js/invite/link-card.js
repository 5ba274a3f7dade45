// @ts-check
// A link that has just been made: its address, which is shown only now, with its QR code, Copy and the share sheet of the
// system.

import { drawCode } from '../ui/api.js';
import { copyText } from '../ui/copy.js';
import { notice } from '../ui/notice.js';
import { onBoard } from '../ui/site.js';

/**
 * @param {{ url: string }} link
 * @param {{ heading: string, about: string }} words
 * @returns {HTMLElement}
 */
export function linkCard({ url }, { heading, about }) {
  const card = make('section', 'link-card');
  const title = make('h3', '', heading);
  title.id = `link-${Math.random().toString(36).slice(2)}`;
  card.setAttribute('aria-labelledby', title.id);
  const text = make('div', 'link-card-text');
  const actions = make('div', 'link-card-actions');
  const copy = button('Copy link', 'button button-main', async () => {
    notice((await copyText(url, card)) ? 'Link copied' : `Copy this link: ${url}`);
  });
  copy.setAttribute('aria-describedby', title.id);
  actions.append(copy);
  if ('share' in navigator) {
    // Rejects if the user closes the sheet.
    actions.append(button('Share…', 'button', () => void navigator.share({ title: document.title, url }).catch(() => {})));
  }
  text.append(title, make('p', 'link-card-about', about), make('code', 'invite-address', url), actions);
  card.append(codeOf(url, heading), text);
  return card;
}

/**
 * @param {string} url
 * @param {string} heading
 */
function codeOf(url, heading) {
  const figure = make('figure', 'code');
  const image = Object.assign(new Image(), { alt: `QR code: ${heading}` });
  figure.append(image);
  drawCode(onBoard('qr'), url).then(
    (source) => {
      image.onload = () => URL.revokeObjectURL(source);
      image.src = source;
    },
    () => (figure.hidden = true),
  );
  return figure;
}

/**
 * @param {string} name
 * @param {string} className
 * @param {string} [textContent]
 */
function make(name, className, textContent = '') {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (textContent) element.textContent = textContent;
  return element;
}

/**
 * @param {string} text
 * @param {string} className
 * @param {() => void} onClick
 */
function button(text, className, onClick) {
  const element = /** @type {HTMLButtonElement} */ (make('button', className, text));
  element.type = 'button';
  element.addEventListener('click', onClick);
  return element;
}
