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
 * The files of a drop, including those in folders. Reads the transfer synchronously, since it is empty after the event.
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
export async function filesOf(transfer) {
  /** @type {(FileSystemEntry | File | null)[]} */
  const found = Array.from(transfer.items ?? [])
    .filter(({ kind }) => kind === 'file')
    .map((item) => {
      const entry = item.webkitGetAsEntry?.();
      return entry?.isDirectory ? entry : item.getAsFile();
    });
  const files = await Promise.all(found.map((each) => (each instanceof File ? [each] : each ? filesBelow(each) : [])));
  return files.flat();
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>}
 */
async function filesBelow(entry) {
  if (CLUTTER.test(entry.name)) return [];
  if (entry.isFile) {
    const file = /** @type {FileSystemFileEntry} */ (entry);
    return [await new Promise((resolve, reject) => file.file(resolve, reject))];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const files = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) return files;
    for (const each of entries) files.push(...(await filesBelow(each)));
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
