// Fills a board with many images in rows, without a page.

const AT_ONCE = 8;
const CELL = 264;
const WIDTH = 240;

/**
 * @param {import('./server.js').Server} server
 * @param {{ name: string, bytes: Uint8Array }[]} images Used again and again.
 * @param {number} count
 */
export async function fill(server, images, count) {
  const columns = Math.ceil(Math.sqrt(count * 1.6));
  let next = 0;
  const work = async () => {
    for (let at = next++; at < count; at = next++) {
      const { name, bytes } = images[at % images.length];
      const fields = { x: (at % columns) * CELL, y: Math.floor(at / columns) * CELL, w: WIDTH };
      await server.upload({ name: `${at} ${name}`, bytes }, fields);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
