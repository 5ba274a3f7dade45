import { launch } from './helpers/browser.js';
const browser = await launch();
const page = await (await browser.newContext({viewport:{width:1280,height:800}})).newPage();
async function run(name, html, js, frames=40) {
  await page.setContent(html);
  await page.waitForTimeout(500);
  await browser.startTracing(page, {categories:['devtools.timeline','cc','blink','toplevel','disabled-by-default-devtools.timeline']});
  await page.evaluate(([frames, js]) => new Promise((resolve) => {
    let n=0; const f = new Function('n', js);
    const frame = () => { n++; f(n); if (n<=frames) requestAnimationFrame(frame); else resolve(); };
    requestAnimationFrame(frame); }), [frames, js]);
  const ev = JSON.parse((await browser.stopTracing()).toString()).traceEvents;
  const c={},s={}; for(const e of ev) if(e.ph==='X'){c[e.name]=(c[e.name]??0)+1; s[e.name]=(s[e.name]??0)+(e.tdur??0)/1000}
  console.log(name.padEnd(50), ['PaintArtifactCompositor::Update','ProxyMain::BeginMainFrame'].map(n=>`${n.slice(-20)} ${c[n]??0}x ${(s[n]??0).toFixed(0)}ms`).join(', '));
}
const tiles=(style,inner='')=>Array.from({length:1000},(_,i)=>`<div style="position:absolute;width:24px;height:20px;background:#8af;${style(i)}">${inner}</div>`).join('');
const pos=i=>[(i%40)*28,Math.floor(i/40)*24];
const tr=i=>`transform:translate(${pos(i)[0]}px,${pos(i)[1]}px);`;
const lt=i=>`left:${pos(i)[0]}px;top:${pos(i)[1]}px;`;
const L="document.querySelector('#l').style.transform='scale(0.9) translate('+n+'px,2px)'";
const W=(s,inner)=>`<body style="margin:0"><div id=l style="position:absolute;left:0;top:0;width:0;height:0;transform-origin:0 0;will-change:transform;transform:scale(0.9)">${s}${inner??''}</div>`;
await run('left/top', W(tiles(lt)), L);
await run('left/top z', W(tiles(i=>lt(i)+`z-index:${i}`)), L);
await run('left/top round clip', W(tiles(i=>lt(i)+'overflow:hidden;border-radius:4px','<b style="display:block;width:30px;height:30px;background:red"></b>')), L);
await run('transform', W(tiles(tr)), L);
await run('transform + transition', W(tiles(i=>tr(i)+'transition:transform 120ms linear')), L);
await run('transform + z', W(tiles(i=>tr(i)+`z-index:${i}`)), L);
await run('left/top opacity .99', W(tiles(i=>lt(i)+'opacity:.99')), L);
await browser.close();
