// @ts-check
// Tells the others what this page is adding, so that they see a place for it before its bytes are there.

/** @typedef {import('../feed/feed.js').Feed} Feed */
/** @typedef {import('../feed/types.js').Box} Box */
/** @typedef {import('./item.js').Upload} Upload */

export class Announcements {
  /** What the others have been told of, by the id. @type {Map<string, Upload>} */
  #told = new Map();
  #feed;
  #boxOf;

  /**
   * @param {Feed} feed
   * @param {(id: string) => Box | undefined} boxOf The place of an upload.
   */
  constructor(feed, boxOf) {
    this.#feed = feed;
    this.#boxOf = boxOf;
  }

  /** @param {Upload} upload It has changed. */
  write(upload) {
    const { id, state } = upload;
    if (state === 'saved') this.#end(id, { upload: id, id });
    else if (state === 'failed') this.end(id);
    else if (state === 'sending' && !this.#told.has(id)) this.#begin(upload);
  }

  /** @param {string} id Of an upload that is given up. */
  end(id) {
    this.#end(id, { upload: id });
  }

  /** There is a new session, and what was told to the one before has ended with it. */
  resume() {
    for (const upload of this.#told.values()) this.#begin(upload);
  }

  /** @param {Upload} upload */
  #begin(upload) {
    const box = this.#boxOf(upload.id);
    if (!box) return;
    this.#told.set(upload.id, upload);
    const [x, y, w, h] = [box.x, box.y, box.w, box.h].map((value) => Math.round(value * 10) / 10);
    this.#send('Upload:begin', { upload: upload.id, fileName: upload.fileName, x, y, w, h });
  }

  /**
   * @param {string} id
   * @param {object} data
   */
  #end(id, data) {
    if (this.#told.delete(id)) this.#send('Upload:end', data);
  }

  /**
   * It is a courtesy: without a connection, or refused, the image comes all the same.
   * @param {string} event
   * @param {object} data
   */
  #send(event, data) {
    this.#feed.send(event, data).catch(() => {});
  }
}
