// @ts-check
// Types of the server's messages.

/**
 * The record of an image. `x` and `y` are its top left corner and `w` its width on the board, in board units (CSS pixels at
 * 100 %); a higher `z` is in front. Records of `feed=latest` have `file` instead of a placement.
 * @typedef {object} ImageRecord
 * @property {string} id
 * @property {string} fileName
 * @property {string} [alt]
 * @property {string} [caption] Shown with the image, at most 280 characters.
 * @property {string} type The MIME type, from the bytes.
 * @property {number} size
 * @property {number} width
 * @property {number} height
 * @property {string} [sha256] Of the uploaded bytes, before metadata was removed.
 * @property {string} url
 * @property {string} [thumb] The path of the thumbnail, once there is one.
 * @property {number} x
 * @property {number} y
 * @property {number} w
 * @property {number} z
 * @property {boolean} [damaged] Part of the image cannot be decoded; browsers show the rest.
 * @property {string} [author]
 * @property {string} createdAt
 * @property {{ size: number }} [file] The size of the file, which is the next binary message.
 */

/**
 * A rectangle in board units.
 * @typedef {{ x: number, y: number, w: number, h: number }} Box
 */

/** @typedef {{ x: number, y: number }} Point */

/** The dimensions of an image in pixels. @typedef {{ width: number, height: number }} Pixels */

export {};
