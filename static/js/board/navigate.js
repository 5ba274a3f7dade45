// @ts-check
// Panning and zooming by pointer, wheel, fingers and keys, and the choice of the gesture that a pointer starts. The surface
// fills the window, so page coordinates are view coordinates.

import { ARROWS, isForPage } from './keyboard.js';

/** @typedef {import('./camera.js').Camera} Camera */
/** @typedef {import('../feed/types.js').Point} Point */

/**
 * The handlers of a pointer between down and up.
 * @typedef {object} Gesture
 * @property {(event: PointerEvent) => void} move
 * @property {() => void} end
 * @property {() => void} cancel Reverts its effects.
 * @property {(event: PointerEvent) => void} [tap] Released where it was pressed.
 * @property {boolean} [pans] A move pans.
 * @property {() => Gesture} [hold] Makes a finger pan. One that rests for a while continues with the gesture that this returns.
 */

/**
 * @callback Grasp Starts the gesture of a pointer; null to pan.
 * @param {PointerEvent} event
 * @returns {Gesture | null}
 */

/** A shorter move is a click by an unsteady hand. */
const THRESHOLD_PX = 4;
/** A finger wavers more than a mouse while it rests. */
const TOUCH_THRESHOLD_PX = 9;
/** The time after which a resting finger is a long press, as on phones. */
const HOLD_MS = 450;
const KEY_STEP_PX = 80;
const ZOOM_STEP = 1.25;

/**
 * @param {HTMLElement} surface
 * @param {Camera} camera
 * @param {{ grasp: Grasp, onTap: () => void }} handlers `onTap`: on empty space.
 */
export function navigate(surface, camera, { grasp, onTap }) {
  /** @param {PointerEvent} event */
  const gestureOf = (event) => {
    const grasped = event.button === 0 ? grasp(event) : null;
    const pan = panning(surface, camera, event, onTap);
    return grasped?.hold || grasped?.pans ? { ...grasped, move: pan.move } : (grasped ?? pan);
  };
  usePointers(surface, gestureOf, camera);
  useWheel(surface, camera);
  useKeys(surface, camera);
}

/**
 * @param {HTMLElement} surface
 * @param {(event: PointerEvent) => Gesture} gestureOf
 * @param {Camera} camera
 */
function usePointers(surface, gestureOf, camera) {
  /** @type {Map<number, Point>} */
  const touches = new Map();
  /** @type {{ id: number, from: Point, gesture: Gesture, begun: boolean } | null} */
  let active = null;
  /** @type {{ middle: Point, distance: number } | null} */
  let pinch = null;

  let holdTimer = 0;
  const begin = (/** @type {number} */ id) => {
    clearTimeout(holdTimer);
    if (active) active.begun = true;
    surface.setPointerCapture(id);
    surface.classList.add('is-busy');
  };
  const hold = () => {
    if (!active?.gesture.hold || active.begun) return;
    active.gesture = active.gesture.hold();
    begin(active.id);
    navigator.vibrate?.(10);
  };

  const stop = (/** @type {'end' | 'cancel'} */ how) => {
    clearTimeout(holdTimer);
    const ending = active;
    active = null;
    surface.classList.remove('is-busy', 'is-panning');
    if (ending?.begun) ending.gesture[how]();
  };

  surface.addEventListener('pointerdown', (event) => {
    if (/** @type {Element} */ (event.target).closest('button:not([data-handle])')) return;
    if (event.pointerType === 'touch') touches.set(event.pointerId, pointOf(event));
    if (touches.size === 2) {
      stop('cancel');
      pinch = spanOf(touches);
      camera.chosen = true;
      return;
    }
    if (active || pinch || event.button > 1) return;
    if (event.button === 1) event.preventDefault();
    active = { id: event.pointerId, from: pointOf(event), gesture: gestureOf(event), begun: false };
    if (active.gesture.hold) holdTimer = window.setTimeout(hold, HOLD_MS);
  });

  surface.addEventListener('pointermove', (event) => {
    if (touches.has(event.pointerId)) touches.set(event.pointerId, pointOf(event));
    if (pinch && touches.size >= 2) {
      const span = spanOf(touches);
      camera.pan(pinch.middle.x - span.middle.x, pinch.middle.y - span.middle.y);
      camera.zoom(span.distance / pinch.distance, span.middle);
      pinch = span;
      return;
    }
    if (active?.id !== event.pointerId) return;
    if (!active.begun) {
      const threshold = active.gesture.hold ? TOUCH_THRESHOLD_PX : THRESHOLD_PX;
      if (Math.hypot(event.clientX - active.from.x, event.clientY - active.from.y) < threshold) return;
      begin(event.pointerId);
    }
    active.gesture.move(event);
  });

  const up = (/** @type {PointerEvent} */ event) => {
    touches.delete(event.pointerId);
    if (touches.size < 2) pinch = null;
    if (active?.id !== event.pointerId) return;
    const { gesture, begun } = active;
    stop(event.type === 'pointerup' ? 'end' : 'cancel');
    if (!begun && event.type === 'pointerup') gesture.tap?.(event);
  };
  for (const type of /** @type {const} */ (['pointerup', 'pointercancel'])) addEventListener(type, up);
  addEventListener('blur', () => stop('end'));
  // A long press selects and drags; suppress the browser's menu.
  surface.addEventListener('contextmenu', (event) => {
    if (/** @type {PointerEvent} */ (event).pointerType === 'touch') event.preventDefault();
  });
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !active) return;
    event.preventDefault();
    stop('cancel');
  });
}

/**
 * @param {HTMLElement} surface
 * @param {Camera} camera
 * @param {PointerEvent} event
 * @param {() => void} onTap
 * @returns {Gesture}
 */
function panning(surface, camera, event, onTap) {
  let last = pointOf(event);
  return {
    move(event) {
      surface.classList.add('is-panning');
      camera.chosen = true;
      const point = pointOf(event);
      camera.pan(last.x - point.x, last.y - point.y);
      last = point;
    },
    end() {},
    cancel() {},
    tap: onTap,
  };
}

/**
 * @param {HTMLElement} surface
 * @param {Camera} camera
 */
function useWheel(surface, camera) {
  const wheel = (/** @type {WheelEvent} */ event) => {
    event.preventDefault();
    camera.chosen = true;
    const unit = [1, 16, camera.height][event.deltaMode];
    if (event.ctrlKey || event.metaKey) {
      const delta = Math.max(-40, Math.min(40, event.deltaY * unit));
      camera.zoom(Math.exp(-delta * 0.008), pointOf(event));
    } else if (event.shiftKey && event.deltaX === 0) {
      camera.pan(event.deltaY * unit, 0);
    } else {
      camera.pan(event.deltaX * unit, event.deltaY * unit);
    }
  };
  surface.addEventListener('wheel', wheel, { passive: false });
  useSafariPinch(surface, camera);
}

/**
 * Handles pinches on the trackpad in desktop Safari, which has its own events for them. Others send a wheel event with Ctrl.
 * @param {HTMLElement} surface
 * @param {Camera} camera
 */
function useSafariPinch(surface, camera) {
  let last = 1;
  surface.addEventListener('gesturestart', (event) => {
    event.preventDefault();
    last = 1;
  });
  surface.addEventListener('gesturechange', (event) => {
    event.preventDefault();
    const { scale, clientX, clientY } = /** @type {any} */ (event);
    camera.chosen = true;
    camera.zoom(scale / last, { x: clientX, y: clientY });
    last = scale;
  });
}

/**
 * Arrow keys pan while nothing has the focus that has a use for them.
 * @param {HTMLElement} surface
 * @param {Camera} camera
 */
function useKeys(surface, camera) {
  addEventListener('keydown', (event) => {
    const arrow = ARROWS[event.key];
    const { activeElement } = document;
    const isFree = activeElement === surface || activeElement === document.body;
    if (!arrow || !isFree || !isForBoard(event, surface)) return;
    event.preventDefault();
    camera.chosen = true;
    const step = event.shiftKey ? KEY_STEP_PX * 4 : KEY_STEP_PX;
    camera.pan(arrow[0] * step, arrow[1] * step);
  });
}

/**
 * True if the key belongs to the view of the board.
 * @param {KeyboardEvent} event
 * @param {HTMLElement} surface
 */
function isForBoard(event, surface) {
  if (event.ctrlKey || event.metaKey || event.altKey || !isForPage(event)) return false;
  return surface.checkVisibility() && document.querySelector('dialog[open]') === null;
}

/**
 * The zoom buttons and their keys.
 * @param {HTMLElement} surface
 * @param {Camera} camera
 * @param {HTMLElement} toolbar Holds a button for each of `in`, `out`, `full` and `fit`, named by `data-zoom`.
 * @param {() => void} fitAll
 */
export function useZoomControls(surface, camera, toolbar, fitAll) {
  /** @type {Record<string, () => void>} */
  const actions = {
    in: () => camera.zoomSmoothly(ZOOM_STEP),
    out: () => camera.zoomSmoothly(1 / ZOOM_STEP),
    full: () => camera.zoomSmoothly(1 / camera.scale),
    fit: fitAll,
  };
  const act = (/** @type {string} */ name) => {
    camera.chosen = true;
    actions[name]();
  };
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (toolbar.querySelectorAll('[data-zoom]'))) {
    button.addEventListener('click', () => act(button.dataset.zoom ?? ''));
  }
  /** @type {Record<string, string>} */
  const keys = { '+': 'in', '=': 'in', '-': 'out', 0: 'full', 1: 'fit' };
  addEventListener('keydown', (event) => {
    const name = keys[event.key];
    if (!name || !isForBoard(event, surface)) return;
    event.preventDefault();
    act(name);
  });
}

/** @param {MouseEvent} event @returns {Point} */
function pointOf({ clientX, clientY }) {
  return { x: clientX, y: clientY };
}

/** @param {Map<number, Point>} touches */
function spanOf(touches) {
  const [a, b] = touches.values();
  return {
    middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
    distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)),
  };
}
