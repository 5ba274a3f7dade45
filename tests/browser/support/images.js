// Generated PNG files, each of one colour with a lighter middle, so that tests can tell them apart, or a drawing of one colour
// on transparent ground.

import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

/** @typedef {[red: number, green: number, blue: number]} Colour */
/** @typedef {{ name: string, bytes: Buffer, colour: Colour, width: number, height: number }} TestImage */

/** Temporary folders to remove. @type {string[]} */
const folders = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * @param {string} name
 * @param {{ width?: number, height?: number, colour?: Colour, isDrawing?: boolean }} [options]
 * @returns {TestImage}
 */
export function image(name, { width = 320, height = 200, colour = [67, 83, 201], isDrawing = false } = {}) {
  const lighter = colour.map((value) => Math.min(255, value + 40));
  const pixels = isDrawing ? [[0, 0, 0, 0], [...colour, 255]] : [colour, lighter];
  return { name, bytes: png(width, height, pixels), colour, width, height };
}

/**
 * Writes files into a new temporary folder, which is removed when the process ends. Returns their paths.
 * @param {{ name: string, bytes: string | Uint8Array }[]} files
 */
export async function writeFiles(...files) {
  const folder = await mkdtemp(join(tmpdir(), 'realtime-photo-files-'));
  folders.push(folder);
  return Promise.all(
    files.map(async ({ name, bytes }) => {
      const path = join(folder, name);
      await writeFile(path, bytes);
      return path;
    }),
  );
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number[][]} pixels That of the ground and that of the middle, with three channels or four.
 */
function png(width, height, pixels) {
  const [ground, middle] = pixels.map((pixel) => Buffer.from(pixel));
  const channels = ground.length;
  const row = Buffer.alloc(1 + width * channels); // The first byte says that the row is not filtered.
  const rows = Buffer.concat(
    Array.from({ length: height }, (_, y) => {
      const half = Math.round(width * Math.sqrt(Math.max(0, 0.04 - (y / height - 0.5) ** 2)));
      const [from, to] = [Math.round(width / 2) - half, Math.round(width / 2) + half];
      return Buffer.from(row.fill(ground, 1).fill(middle, 1 + from * channels, 1 + to * channels));
    }),
  );
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, channels === 4 ? 6 : 2, 0, 0, 0], 8); // Eight bits, RGBA or RGB, no interlacing.
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
