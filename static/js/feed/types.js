// @ts-check
// What the server says, as types. Nothing here runs.

/**
 * An image as the server describes it. `x` and `y` are its top left corner and `w` its shown width in board units (CSS
 * pixels at 100 %); a larger `z` lies in front. On `feed=latest` there is no placement, but `file`.
 * @typedef {object} ImageRecord
 * @property {string} id
 * @property {string} fileName
 * @property {string} [alt]
 * @property {string} type The MIME type that the server found in the bytes.
 * @property {number} size
 * @property {number} width
 * @property {number} height
 * @property {string} [sha256] Of the bytes as they were uploaded.
 * @property {string} url
 * @property {string} [thumb] Where a small one is, once there is one.
 * @property {number} x
 * @property {number} y
 * @property {number} w
 * @property {number} z
 * @property {boolean} [damaged] Part of the image cannot be decoded; browsers show the rest.
 * @property {string} [author]
 * @property {string} createdAt
 * @property {{ size: number }} [file] The next binary message is this image's file, of so many bytes.
 */

/**
 * A rectangle in board units.
 * @typedef {{ x: number, y: number, w: number, h: number }} Box
 */

/** @typedef {{ x: number, y: number }} Point */

export {};
