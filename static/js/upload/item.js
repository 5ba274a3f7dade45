// @ts-check
// One upload: a file, its requested placement and its progress.

import { uuidv7 } from './uuid.js';

/** @typedef {import('../feed/types.js').ImageRecord} ImageRecord */

/**
 * - `checking`: the page looks for a duplicate and for anything that the server would refuse
 * - `converting`: the page converts or shrinks the file
 * - `duplicate`: the board has the same bytes; the user decides
 * - `waiting`: in the queue
 * - `sending`: bytes are being sent
 * - `saving`: all bytes are sent, the answer is outstanding
 * - `paused`: the server could not be reached or is busy; will be retried
 * - `saved`, `failed`: final, unless the user retries
 * @typedef {'checking' | 'converting' | 'duplicate' | 'waiting' | 'sending' | 'saving' | 'paused' | 'saved' | 'failed'} UploadState
 */

/** The placement that the uploader asks for, in board units. @typedef {{ x: number, y: number, w: number }} RequestedPlacement */

/**
 * An image with the same bytes, on the board (`there`) or still being added.
 * @typedef {{ id: string, fileName: string, there: boolean }} Twin
 */

export class Upload {
  /** The id of the image to come. The same for all attempts, so that a repeated upload stores no second image. */
  id = uuidv7();
  /** @type {UploadState} */
  state = 'waiting';
  /** Sent bytes, 0 to 1. */
  progress = 0;
  /** Why it failed or is paused, as a sentence. */
  reason = '';
  /** True if a retry can succeed. */
  retryable = false;
  /** True if it failed only because of its size, and `shrink` can help. */
  canShrink = false;
  /** @type {ImageRecord | null} */
  record = null;
  /** The duplicate. @type {Twin | null} */
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
