// @ts-check
// Types of the server's messages.

/**
 * The record of an image. `x` and `y` are its top left corner and `w` its width on the board, in board units (CSS pixels at
 * 100 %); a higher `z` is in front. Records of `feed=latest` have `file` instead of a placement.
 * @typedef {object} ImageRecord
 * @property {string} id
 * @property {string} fileName
 * @property {string} [caption] Shown under the photo.
 * @property {string} [alt] The description, for people who cannot see the photo.
 * @property {string} [thumbhash] A blurred image, see thumbhash.js.
 * @property {string} type The MIME type, from the bytes.
 * @property {number} size
 * @property {number} width
 * @property {number} height
 * @property {string} [sha256] Of the uploaded bytes, before metadata was removed. Batches have only the first digits.
 * @property {string} url
 * @property {string} [thumb] The path of the thumbnail, once there is one.
 * @property {number} x
 * @property {number} y
 * @property {number} w
 * @property {number} z
 * @property {boolean} [damaged] Part of the image cannot be decoded; browsers show the rest.
 * @property {string} [author]
 * @property {string} createdAt
 * @property {string} [owner] The public id of whoever added it.
 * @property {boolean} [waiting] It waits for the approval of a host.
 * @property {string} [movedBy] The name of the person who last moved or resized it, empty without a name.
 * @property {string} [restoredBy] The name of the person who last restored it from the bin.
 * @property {{ size: number }} [file] The size of the file, which is the next binary message.
 */

/**
 * A rectangle in board units.
 * @typedef {{ x: number, y: number, w: number, h: number }} Box
 */

/** @typedef {{ x: number, y: number }} Point */

/** A text of a record that people write. @typedef {'alt' | 'caption'} TextName */

/** A person in a session of this server who has set a name. @typedef {{ id: string, name: string, colour: string }} Person */

/** The dimensions of an image in pixels. @typedef {{ width: number, height: number }} Pixels */

export {};
