// @ts-check
// Extracts the files from a drop, including folders, or from the clipboard; and loads previews.

/** Files that operating systems leave in folders. */
const CLUTTER = /^(\.|thumbs\.db$|desktop\.ini$)/i;

/**
 * True if the transfer contains files, as opposed to text or a link.
 * @param {DataTransfer | null} transfer
 * @returns {transfer is DataTransfer}
 */
export function carriesFiles(transfer) {
  return transfer?.types.includes('Files') ?? false;
}

/**
 * The files of a drop, including those in folders, and the paths of what cannot be read.
 * @typedef {{ files: File[], unreadable: string[] }} Found
 */

/**
 * Reads the items of the transfer synchronously, since it is empty after the event. Does not fail.
 * @param {DataTransfer} transfer
 * @returns {Promise<Found>}
 */
export async function filesOf(transfer) {
  /** @type {(FileSystemEntry | File | null)[]} */
  const items = Array.from(transfer.items ?? [])
    .filter(({ kind }) => kind === 'file')
    .map((item) => {
      const entry = item.webkitGetAsEntry?.();
      return entry?.isDirectory ? entry : item.getAsFile();
    });
  /** @type {Found} */
  const found = { files: [], unreadable: [] };
  for (const item of items) {
    if (item instanceof File) found.files.push(item);
    else if (item) await findBelow(item, found);
  }
  return found;
}

/**
 * @param {FileSystemEntry} entry
 * @param {Found} found Receives the files.
 */
async function findBelow(entry, found) {
  if (CLUTTER.test(entry.name)) return;
  try {
    if (entry.isFile) found.files.push(await fileOf(/** @type {FileSystemFileEntry} */ (entry)));
    else for await (const child of childrenOf(/** @type {FileSystemDirectoryEntry} */ (entry))) await findBelow(child, found);
  } catch {
    found.unreadable.push(entry.fullPath.replace(/^\//, ''));
  }
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File>}
 */
function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** @param {FileSystemDirectoryEntry} entry */
async function* childrenOf(entry) {
  const reader = entry.createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const children = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (children.length === 0) return;
    yield* children;
  }
}

/**
 * Loads a preview: an object URL, which the caller must revoke, and the dimensions. Null if this browser cannot decode the
 * file; the server may still accept it.
 * @param {File} file
 * @returns {Promise<{ url: string, pixels: import('../feed/types.js').Pixels } | null>}
 */
export function loadPreview(file) {
  return new Promise((resolve) => {
    const url = URL.createObjectURL(file);
    const image = new Image();
    image.onload = () => resolve({ url, pixels: { width: image.naturalWidth || 1, height: image.naturalHeight || 1 } });
    image.onerror = () => {
      URL.revokeObjectURL(url);
      resolve(null);
    };
    image.src = url;
  });
}
