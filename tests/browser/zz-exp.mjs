import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Window, launch } from './helpers/browser.js';
import { fill } from './helpers/filling.js';
import { Server } from './helpers/server.js';
const folder='/tmp/pb-thumbs';
const pictures = await Promise.all((await readdir(folder)).map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })));
const server = await Server.start();
const browser = await launch();
await fill(server, pictures, 1000);
const window = await Window.open(browser, `${server.url}/`);
const { page } = window;
async function run(name, js, frames=60) {
  await browser.startTracing(page, {categories:['devtools.timeline','cc','blink','toplevel','disabled-by-default-devtools.timeline']});
  await page.evaluate(([frames, js]) => new Promise((resolve) => {
    let n=0; const f = new Function('n', js);
    const frame = () => { n++; f(n); if (n<=frames) requestAnimationFrame(frame); else resolve(); };
    requestAnimationFrame(frame); }), [frames, js]);
  const ev = JSON.parse((await browser.stopTracing()).toString()).traceEvents;
  const c={},s={}; for(const e of ev) if(e.ph==='X'){c[e.name]=(c[e.name]??0)+1; s[e.name]=(s[e.name]??0)+(e.tdur??0)/1000}
  console.log(name, ['PaintArtifactCompositor::Update','Layerize','ProxyMain::BeginMainFrame','RasterTask','ImageDecodeTask','Commit','UpdateLayoutTree','Paint','PrePaint'].map(n=>`${n} ${c[n]??0}x ${(s[n]??0).toFixed(0)}ms`).join(', '));
}
await page.getByRole('button', { name: 'Show everything' }).click();
await page.waitForTimeout(5000);
const L="const l=document.querySelector('#layer'), d=document.querySelector('#dots');";
await run('nothing', '');
await run('transform only', L+"l.style.willChange='transform'; l.style.transform='scale(0.0945) translate('+(n*2)+'px, 100px)'");
await run('dots only', L+"d.style.transform='translate('+(n%10)+'px, 3px)'");
await run('willchange toggles', L+"l.style.willChange= n%2?'transform':''");
await run('unscale', "document.querySelector('#pending').style.setProperty('--unscale','7.2')");
await run('wheel', "document.querySelector('#surface').dispatchEvent(new WheelEvent('wheel', {clientX:640,clientY:400,bubbles:true,cancelable:true,deltaX:n<30?4:-4}))");
await window.close(); await browser.close(); await server.stop();
