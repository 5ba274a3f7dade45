// Fingers, as the screen reports them.

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

export class Fingers {
  static async on(window) {
    return new Fingers(await window.context.newCDPSession(window.page));
  }

  constructor(session) {
    this.session = session;
  }

  /** @param {'Start' | 'Move' | 'End'} type */
  touch(type, ...points) {
    const touchPoints = points.map(([x, y], id) => ({ x, y, id }));
    return this.session.send('Input.dispatchTouchEvent', { type: `touch${type}`, touchPoints });
  }

  /** One finger from here to there. */
  async drag([x, y], [toX, toY], steps = 5) {
    await this.touch('Start', [x, y]);
    for (let step = 1; step <= steps; step += 1) {
      await this.touch('Move', [x + ((toX - x) * step) / steps, y + ((toY - y) * step) / steps]);
    }
    // It comes to rest: after a fling the browser takes the next tap for one that stops it.
    await new Promise((resolve) => setTimeout(resolve, 120));
    await this.touch('Move', [toX, toY]);
    await this.touch('End');
  }

  /** Two fingers around a point, from one distance to another. */
  async pinch([x, y], from, to, steps = 5) {
    const points = (distance) => [[x - distance / 2, y], [x + distance / 2, y]];
    await this.touch('Start', ...points(from));
    for (let step = 1; step <= steps; step += 1) await this.touch('Move', ...points(from + ((to - from) * step) / steps));
    await this.touch('End');
  }
}
