// QR codes on a page, read as a phone reads them.

import jsQR from 'jsqr';

/** Enough pixels for each module of a code that holds an address. */
const SIDE = 264;

/** The text in the QR code that an `<img>` shows, or null if none can be read. */
export async function readCode(image) {
  const pixels = await image.evaluate((/** @type {HTMLImageElement} */ element, side) => {
    const canvas = document.createElement('canvas');
    canvas.width = side;
    canvas.height = side;
    const context = canvas.getContext('2d');
    context.drawImage(element, 0, 0, side, side);
    return [...context.getImageData(0, 0, side, side).data];
  }, SIDE);
  return jsQR(Uint8ClampedArray.from(pixels), SIDE, SIDE)?.data ?? null;
}
