// @ts-check
// Keeps the screen on, where the browser can. It releases the lock whenever the page is hidden.

export class WakeLock {
  #wanted = false;
  /** @type {WakeLockSentinel | null} */
  #lock = null;

  constructor() {
    document.addEventListener('visibilitychange', () => void this.#request());
  }

  hold() {
    this.#wanted = true;
    void this.#request();
  }

  release() {
    this.#wanted = false;
    void this.#lock?.release();
    this.#lock = null;
  }

  async #request() {
    if (!this.#wanted || document.hidden || !('wakeLock' in navigator)) return;
    // Refused to save energy, for example.
    const lock = await navigator.wakeLock.request('screen').catch(() => null);
    if (!lock) return;
    void this.#lock?.release();
    this.#lock = lock;
    if (!this.#wanted) this.release();
  }
}
