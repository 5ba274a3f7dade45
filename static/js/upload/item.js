// @ts-check
// One upload: a file, where it is wanted, and how far it has come.

import { uuidv7 } from './uuid.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/**
 * - `checking`: whether the board has it already
 * - `duplicate`: the board has it; a person decides
 * - `waiting`: for its turn
 * - `sending`: bytes are on their way
 * - `saving`: all bytes are sent, the answer is outstanding
 * - `paused`: it did not get through and will be tried again by itself
 * - `saved`, `failed`: over
 * @typedef {'checking' | 'duplicate' | 'waiting' | 'sending' | 'saving' | 'paused' | 'saved' | 'failed'} UploadState
 */

/** Where the uploader wants it, in board units. @typedef {{ x: number, y: number, w: number }} RequestedPlacement */

/**
 * An image with the same bytes, on the board (`there`) or still being added.
 * @typedef {{ id: string, fileName: string, there: boolean }} Twin
 */

export class Upload {
  /** Stays the same over all attempts, so that a repeated one makes no second image. */
  id = uuidv7();
  /** @type {UploadState} */
  state = 'waiting';
  /** Sent bytes, 0 to 1. */
  progress = 0;
  /** Why it failed, as a sentence. */
  reason = '';
  /** Whether trying again can help. */
  retryable = false;
  /** @type {ImageRecord | null} */
  record = null;
  /** The same image. @type {Twin | null} */
  twin = null;

  /**
   * @param {File} file
   * @param {RequestedPlacement} [placement]
   */
  constructor(file, placement) {
    this.file = file;
    this.placement = placement;
  }

  get fileName() {
    return this.file.name;
  }
}
