// @ts-check
// Printing: all photos with their captions, several on a page. The board itself does not fit on paper. Photos that wait for
// approval are left out.

import { thumbOf } from '../feed/image-urls.js';
import { altOf } from '../ui/text.js';

/** @typedef {import('../feed/images.js').Images} Images */
/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/** @param {Images} images */
export function usePrinting(images) {
  /** @type {HTMLElement | null} */
  let list = null;
  const remove = () => {
    list?.remove();
    list = null;
  };
  addEventListener('beforeprint', () => {
    remove();
    list = document.createElement('ul');
    list.className = 'print';
    list.append(...images.ids.flatMap((id) => itemOf(images.get(id)) ?? []));
    document.body.append(list);
  });
  addEventListener('afterprint', remove);
}

/** @param {ImageRecord | undefined} record */
function itemOf(record) {
  if (!record || record.waiting) return null;
  const item = document.createElement('li');
  // The browser waits with printing until images are loaded, except those that it decodes later.
  item.append(Object.assign(new Image(), { decoding: 'sync', alt: altOf(record), src: thumbOf(record) }));
  if (record.caption) item.append(Object.assign(document.createElement('p'), { textContent: record.caption }));
  return item;
}
