// Measures how 300 photos are added at once: `REALTIME_PHOTO_BIN=… node many-files.js [count]`. Run by hand, with a release build.

import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import config from './playwright.config.js';
import { Server } from './support/server.js';
import { BrowserWindow } from './support/window.js';

const COUNT = Number(process.argv[2] ?? 300);
const TIMEOUT_MS = 300_000;

const folder = process.env.PHOTOS ?? (await mkdtemp(join(tmpdir(), 'realtime-photo-')));
const server = await Server.start();
const browser = await chromium.launch(config.use.launchOptions);
let files = (await readdir(folder)).map((name) => join(folder, name)).slice(0, COUNT);
if (files.length < COUNT) files = await draw();

const window = await BrowserWindow.open(browser, `${server.url}/#board`, { viewport: config.use.viewport, prepare: (context) => process.env.NOHAS && context.route('**/*.css*', async (route) => { const r = await route.fetch(); const body = eval(process.env.NOHAS)(await r.text()); await route.fulfill({ response: r, body }); }) });
const { page } = window;
await page.evaluate(() => {
  const frames = (globalThis.frames_ = []);
  const frame = (now) => {
    frames.push(now);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
});
const before = await processes();
if (process.env.TRACE) await browser.startTracing(page, { path: process.env.TRACE, categories: ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'cc', 'blink', 'toplevel'] });
if (process.env.PROFILE) { globalThis.cdp = await page.context().newCDPSession(page); await cdp.send('Profiler.enable'); await cdp.send('Profiler.start'); }
const start = Date.now();
await page.locator('input[type=file]').first().setInputFiles(files);
await page.waitForFunction((count) => document.body.innerText && fetch('/images?limit=1'), COUNT);
for (;;) {
  const { total } = await (await fetch(`${server.url}/images?limit=1`)).json().then((a) => a);
  const boards = await (await fetch(`${server.url}/boards`, { headers: { accept: 'application/json' } })).json();
  const n = boards.boards.reduce((s, b) => s + b.images, 0);
  if (n >= COUNT) break;
  if (Date.now() - start > TIMEOUT_MS) throw new Error(`${n} of ${COUNT} (${total})`);
  await new Promise((resolve) => setTimeout(resolve, 200));
}
const seconds = (Date.now() - start) / 1000;
const after = await processes();
if (process.env.TRACE) await browser.stopTracing();
if (process.env.PROFILE) { const { profile } = await cdp.send('Profiler.stop'); await writeFile(process.env.PROFILE, JSON.stringify(profile)); }
const times = await page.evaluate(() => globalThis.frames_.slice(1).map((time, at) => time - globalThis.frames_[at]).sort((a, b) => b - a));
console.log({ seconds, worst: times.slice(0, 8).map(Math.round), over100: times.filter((t) => t > 100).length, cpu: difference(before, after) });
await browser.close();
await server.stop();

async function draw() {
  const page = await browser.newPage();
  await page.goto(`${server.url}/static/js/ui/base.css`);
  const made = [];
  for (let number = 0; number < COUNT; number += 1) {
    const bytes = await page.evaluate(async (number) => {
      const canvas = new OffscreenCanvas(1600, 1200);
      const context = canvas.getContext('2d');
      const random = (below) => Math.floor(Math.random() * below);
      for (let shape = 0; shape < 40; shape += 1) {
        context.fillStyle = `hsl(${random(360)} ${random(90)}% ${random(100)}% / 0.6)`;
        context.beginPath();
        context.ellipse(random(1600), random(1200), 40 + random(400), 40 + random(400), Math.random() * 3, 0, 7);
        context.fill();
      }
      context.fillText(String(number), 20, 20);
      const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 });
      return [...new Uint8Array(await blob.arrayBuffer())];
    }, number);
    const path = join(folder, `IMG_${4000 + number}.jpg`);
    await writeFile(path, Buffer.from(bytes));
    made.push(path);
  }
  await page.close();
  return made;
}

/** CPU seconds by kind of process. */
async function processes() {
  const all = new Map();
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      all.set(pid, { parent: fields[1], cpu: (Number(fields[11]) + Number(fields[12])) / 100, line });
    } catch {}
  }
  const mine = (pid) => pid === String(process.pid) || (all.has(pid) && mine(all.get(pid).parent));
  const out = {};
  for (const [pid, { cpu, line }] of all) if (mine(pid)) out[(/--type=([\w-]+)/.exec(line)?.[1] ?? line.slice(0, 30).split(' ')[0].split('/').pop()) + pid] = cpu;
  return out;
}
function difference(a, b) {
  return Object.fromEntries(Object.entries(b).map(([k, v]) => [k, +(v - (a[k] ?? 0)).toFixed(1)]).filter(([, v]) => v > 0.3));
}
