// Follows what a page has scheduled, so that tests can wait until it is at rest.

/** Timers up to this long belong to a movement or a repaint; longer ones end a message or keep a connection alive. */
const SHORT_TIMER_MS = 250;

/**
 * @typedef {object} Activity
 * @property {() => Promise<void>} whenIdle Resolves when no frame, no short timer and no finite animation is pending.
 * @property {(callback: () => void) => void} onEachFrame Calls back in every frame, which does not count as activity.
 * @property {string[]} announcements Texts that the live regions have announced and no test has matched yet.
 * @property {string[]} events Every line that has reported what other viewers did.
 * @property {string[]} connections Every text that the bar about the connection has shown.
 */

/** Timers from this length on end a message, or find that the server does not answer. */
const MESSAGE_TIMER_MS = 3_000;
const SLOW_FACTOR = 12;

/** Installs the hooks in every page of a context, before the scripts of the page. */
export function followActivity(context, { slowMessages = false } = {}) {
  const factor = slowMessages ? SLOW_FACTOR : 1;
  return context.addInitScript(install, { shortTimer: SHORT_TIMER_MS, messageTimer: MESSAGE_TIMER_MS, factor });
}

/** Runs in the page. */
function install({ shortTimer, messageTimer, factor }) {
  const { requestAnimationFrame, cancelAnimationFrame, setTimeout, clearTimeout } = globalThis;
  const frames = new Set();
  const timers = new Set();

  globalThis.requestAnimationFrame = (callback) => {
    const id = requestAnimationFrame((time) => {
      frames.delete(id);
      callback(time);
    });
    frames.add(id);
    return id;
  };
  globalThis.cancelAnimationFrame = (id) => {
    frames.delete(id);
    cancelAnimationFrame(id);
  };
  globalThis.setTimeout = /** @type {any} */ ((callback, delay = 0, ...rest) => {
    const id = setTimeout(() => {
      timers.delete(id);
      callback(...rest);
    }, delay >= messageTimer ? delay * factor : delay);
    if (delay <= shortTimer) timers.add(id);
    return id;
  });
  globalThis.clearTimeout = (id) => {
    timers.delete(/** @type {any} */ (id));
    clearTimeout(id);
  };

  const isMoving = (animation) => animation.playState === 'running' && animation.effect?.getComputedTiming().endTime !== Infinity;
  const isIdle = () => frames.size === 0 && timers.size === 0 && !document.getAnimations().some(isMoving);

  const announcements = [];
  const events = [];
  const connections = [];
  const follow = (selector, texts) => {
    const region = document.querySelector(selector);
    if (region) new MutationObserver(() => region.textContent && texts.push(region.textContent)).observe(region, { childList: true });
  };
  addEventListener('DOMContentLoaded', () => {
    follow('#say-polite', announcements);
    follow('#say-assertive', announcements);
    follow('#events', events);
    const bar = /** @type {HTMLElement | null} */ (document.querySelector('#trouble'));
    const note = () => bar.checkVisibility() && connections.push(bar.innerText.trim());
    if (bar) new MutationObserver(note).observe(bar, { childList: true, subtree: true, attributeFilter: ['hidden'] });
  });

  globalThis.activity = {
    announcements,
    events,
    connections,
    whenIdle: () =>
      new Promise((resolve) => {
        const look = () => (isIdle() ? resolve() : requestAnimationFrame(look));
        requestAnimationFrame(look);
      }),
    onEachFrame(callback) {
      const frame = () => {
        callback();
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    },
  };
}
