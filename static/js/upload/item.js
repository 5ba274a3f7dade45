// @ts-check
// One upload: a file, the position that it was dropped at, and its progress.

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
 * - `offline`: waits for the connection
 * - `saved`, `failed`: final, unless the user retries
 * @typedef {'checking' | 'converting' | 'duplicate' | 'waiting' | 'sending' | 'saving' | 'paused' | 'offline' | 'saved' | 'failed'} UploadState
 */

/** @typedef {import('../feed/types.js').Point} Point */
/** @typedef {import('../feed/types.js').Pixels} Pixels */

/**
 * An image with the same bytes, on the board (`there`) or still being added.
 * @typedef {{ id: string, fileName: string, there: boolean }} Twin
 */

export class Upload {
  /** The id of the image to come. The same for all attempts, so that a repeated upload stores no second image. */
  id;
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

  /** The dimensions of the image, for its placement; null if this browser cannot tell. @type {Pixels | null} */
  pixels = null;
  /** The top left corner that it was dropped at, in board units; null if the server chooses. @type {Point | null} */
  point;
  /** The name of the user when it was added; empty: that of the user now. */
  author;

  /**
   * @param {File} file
   * @param {{ id?: string, point?: Point, author?: string }} [about]
   */
  constructor(file, { id = uuidv7(), point, author = '' } = {}) {
    this.file = file;
    this.id = id;
    this.author = author;
    this.point = point ?? null;
  }

  get fileName() {
    return this.file.name;
  }
}
