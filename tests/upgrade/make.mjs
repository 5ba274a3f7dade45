// Makes the files of this folder with the program of an earlier release. README.md tells how.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';

const [program, dump, release] = process.argv.slice(2);
const here = import.meta.dirname;
const reql = '127.0.0.1:28915';
const folder = mkdtempSync(join(tmpdir(), 'upgrade-'));

const uploads = [
  { file: 'plain.png', alt: 'A test card', author: 'Ada' },
  { file: 'rotated.jpg' },
  { file: 'animated.gif' },
  { file: 'lossy.webp', fileName: 'ünïcödé 📷 "quoted".webp' },
  { file: 'still.avif' },
  { file: 'metadata/camera.jpg', author: 'Bo' },
  { file: 'large/eighth.jpg' },
  { file: 'large/whole.jpg', x: 1500.5, y: -200.25, w: 320 },
  { file: '16bit.png' },
];

const server = spawn(program, ['--listen', '127.0.0.1:0', '--data', join(folder, 'data'), '--reql-listen', reql],
  { stdio: ['ignore', 'pipe', 'inherit'] });
const [output] = await once(server.stdout, 'data');
const url = /http:\/\/[^/\s]+/.exec(String(output))[0];

async function upload({ file, ...fields }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  form.append('file', new Blob([readFileSync(join(here, '../files', file))]), fields.fileName ?? basename(file));
  const answer = await fetch(`${url}/image`, { method: 'POST', body: form });
  if (answer.status !== 201) throw new Error(`${file}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const ids = [];
for (const each of uploads) ids.push((await upload(each)).id);

const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
await new Promise((resolve) => socket.addEventListener('open', resolve));
async function command(event, data) {
  const ref = `${event} ${data.id}`;
  const answered = new Promise((resolve) => {
    socket.addEventListener('message', ({ data: text }) => {
      const message = JSON.parse(text);
      if (message.event === 'Ack' && message.data.ref === ref) resolve(message.data);
    });
  });
  socket.send(JSON.stringify({ event, data, ref }));
  if (!(await answered).ok) throw new Error(ref);
}
await command('Image:update', { id: ids[1], x: -333.25, y: 700, w: 111.5 });
await command('Image:update', { id: ids[2], x: 40, y: 50, z: 7 });
await command('Image:update', { id: ids[3], alt: 'Described later' });

async function digest(id) {
  const bytes = Buffer.from(await (await fetch(`${url}/image/${id}`)).arrayBuffer());
  return createHash('sha256').update(bytes).digest('hex');
}
let deleted = { id: ids[8], sha256: await digest(ids[8]) };
await command('Image:delete', { id: deleted.id });
// The first releases could not restore.
const restored = await fetch(`${url}/image/${deleted.id}/restore`, { method: 'POST' });
if (restored.ok) await command('Image:delete', { id: deleted.id });
else deleted = null;
socket.close();


const { images } = await (await fetch(`${url}/images?limit=1000`)).json();
const files = {};
for (const { id } of images) files[id] = await digest(id);
execFileSync(dump, ['-q', '-c', reql, '-f', join(here, `${release}-dump.tar.gz`), '--overwrite-file']);
server.kill('SIGINT');
await once(server, 'exit');
writeFileSync(join(here, `${release}-board.redb.gz`), gzipSync(readFileSync(join(folder, 'data/board.redb')), { level: 9 }));
writeFileSync(join(here, `${release}.json`), `${JSON.stringify({ images, files, deleted }, null, 1)}\n`);
rmSync(folder, { recursive: true });
