// @ts-check
// Files out of what a browser hands over: a drop (with folders), the clipboard, the picker.

/** Files that systems leave in folders. */
const CLUTTER = /^(\.|thumbs\.db$|desktop\.ini$)/i;

/**
 * Whether files are being dragged, and not text or a link.
 * @param {DataTransfer | null} transfer
 * @returns {transfer is DataTransfer}
 */
export function carriesFiles(transfer) {
  return transfer?.types.includes('Files') ?? false;
}

/**
 * The files of a drop, folders walked through. The transfer is read before this returns, since it is empty afterwards.
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
 * A local look at a file: an object URL to show, and the shape of the image. Null where this browser cannot show it,
 * which says nothing about whether the server takes it. Whoever gets the URL revokes it.
 * @param {File} file
 * @returns {Promise<{ url: string, aspect: number } | null>}
 */
export function lookAt(file) {
  return new Promise((resolve) => {
    const url = URL.createObjectURL(file);
    const image = new Image();
    image.onload = () => resolve({ url, aspect: image.naturalWidth / image.naturalHeight || 1 });
    image.onerror = () => {
      URL.revokeObjectURL(url);
      resolve(null);
    };
    image.src = url;
  });
}
