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
const cdp = await browser.newBrowserCDPSession();
const cpu = async () => Object.fromEntries((await cdp.send('SystemInfo.getProcessInfo')).processInfo.map(p=>[p.type+p.id,p.cpuTime]));
async function run(name, step, frames=80) {
  const before = await cpu();
  await browser.startTracing(page, {categories:['devtools.timeline','cc','blink','toplevel','disabled-by-default-devtools.timeline']});
  const t=Date.now();
  await page.evaluate(([frames, step]) => new Promise((resolve) => {
    const surface = document.querySelector('#surface'); let n=0;
    const frame = () => { n++; const way = n < frames/2 ? 1 : -1;
      surface.dispatchEvent(new WheelEvent('wheel', {clientX:640,clientY:400,bubbles:true,cancelable:true,ctrlKey:step.zoom, deltaX:step.x*way, deltaY:step.y*way}));
      if (n<=frames) requestAnimationFrame(frame); else resolve(); };
    requestAnimationFrame(frame); }), [frames, step]);
  const wall=Date.now()-t;
  const buf = await browser.stopTracing();
  const after = await cpu();
  const ev = JSON.parse(buf.toString()).traceEvents;
  const thr={}; for(const e of ev) if(e.name==='thread_name') thr[e.pid+':'+e.tid]=e.args.name;
  const sum={};
  for(const e of ev){ if(e.ph!=='X'||!e.tdur) continue; const k=(thr[e.pid+':'+e.tid]??'?').replace(/Thread.*|[0-9]+/,'')+' '+e.name; sum[k]=(sum[k]??0)+e.tdur/1000; }
  console.log('==',name,'wall/frame',(wall/frames).toFixed(1),'CPU/frame', Object.entries(after).map(([k,v])=>k+' '+((v-(before[k]??0))*1000/frames).toFixed(1)).filter(x=>!/ 0\.[0-2]$/.test(x)).join(', '));
  console.log(Object.entries(sum).sort((a,b)=>b[1]-a[1]).slice(0,+(process.env.TOP??22)).map(([k,v])=>(v/frames).toFixed(2).padStart(8)+'  '+k).join('\n'));
}
await page.getByRole('button', { name: 'Actual size' }).click();
await page.waitForTimeout(3000);
if(!process.env.FAR){ await run('100 pan',{x:24,y:12,zoom:false}); await run('100 zoom',{x:0,y:3,zoom:true}); }
await page.getByRole('button', { name: 'Show everything' }).click();
await page.waitForTimeout(6000);
await run('far pan',{x:4,y:2,zoom:false});
await run('far zoom',{x:0,y:-3,zoom:true});
await window.close(); await browser.close(); await server.stop();
