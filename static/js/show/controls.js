// @ts-check
// The controls of the show: they appear when the pointer moves or a key is pressed, and then fade.

const SHOWN_MS = 3_000;

export class Controls {
  #frame;
  #timer = 0;

  /**
   * @param {HTMLElement} frame Everything that the show displays.
   * @param {HTMLElement} bar
   * @param {(action: string) => void} onAction Called with the `data-action` of a button.
   */
  constructor(frame, bar, onAction) {
    this.#frame = frame;
    frame.addEventListener('pointermove', ({ pointerType, movementX, movementY }) => {
      if (pointerType === 'mouse' && (movementX !== 0 || movementY !== 0)) this.show();
    });
    // Not `pointerdown`: a button must not appear under the finger that still touches.
    frame.addEventListener('click', () => this.show());
    // A click leaves the focus where it is, so that Space pauses instead of repeating the click.
    bar.addEventListener('mousedown', (event) => event.preventDefault());
    bar.addEventListener('click', ({ target }) => {
      const button = /** @type {Element} */ (target).closest('button');
      if (button?.dataset.action) onAction(button.dataset.action);
    });
  }

  show() {
    clearTimeout(this.#timer);
    this.#frame.classList.add('has-controls');
    this.#timer = window.setTimeout(() => this.hide(), SHOWN_MS);
  }

  hide() {
    clearTimeout(this.#timer);
    this.#frame.classList.remove('has-controls');
  }
}
