// @ts-check
// Announces the uploads of this page to other viewers, who show placeholders for them.

/** @typedef {import('../feed/feed.js').Feed} Feed */
/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('./item.js').Upload} Upload */

export class Announcements {
  /** The announced uploads, by id. @type {Map<string, Upload>} */
  #announced = new Map();
  #feed;
  #boxOf;

  /**
   * @param {Feed} feed
   * @param {(id: string) => Box | undefined} boxOf The box of an upload on the board.
   */
  constructor(feed, boxOf) {
    this.#feed = feed;
    this.#boxOf = boxOf;
  }

  /** @param {Upload} upload A changed upload. */
  write(upload) {
    const { id, state } = upload;
    if (state === 'saved') this.#end(id, { upload: id, id });
    else if (state === 'failed') this.end(id);
    else if (state === 'sending' && !this.#announced.has(id)) this.#begin(upload);
  }

  /** @param {string} id Of a canceled upload. */
  end(id) {
    this.#end(id, { upload: id });
  }

  /** Announces the uploads again: the server forgets them when a session ends. */
  resume() {
    for (const upload of this.#announced.values()) this.#begin(upload);
  }

  /** @param {Upload} upload */
  #begin(upload) {
    const box = this.#boxOf(upload.id);
    if (!box) return;
    this.#announced.set(upload.id, upload);
    const [x, y, w, h] = [box.x, box.y, box.w, box.h].map((value) => Math.round(value * 10) / 10);
    this.#send('Upload:begin', { upload: upload.id, fileName: upload.fileName, x, y, w, h });
  }

  /**
   * @param {string} id
   * @param {object} data
   */
  #end(id, data) {
    if (this.#announced.delete(id)) this.#send('Upload:end', data);
  }

  /**
   * Sends a command and ignores failures: the upload does not depend on its announcement.
   * @param {string} event
   * @param {object} data
   */
  #send(event, data) {
    this.#feed.send(event, data).catch(() => {});
  }
}
