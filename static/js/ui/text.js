// @ts-check
// Facts about an image, as text for the page.

/** @type {Record<string, string>} */
const TYPES = {
  'image/png': 'PNG',
  'image/jpeg': 'JPEG',
  'image/gif': 'GIF',
  'image/webp': 'WebP',
  'image/avif': 'AVIF',
};

/** @param {string} type A MIME type. */
export function typeName(type) {
  return TYPES[type] ?? type;
}

/** The number of characters before a limit at which it is shown. */
const NEAR_LIMIT = 40;
/** The length of a caption in a message, in characters. */
const LONGEST_NAME = 60;

const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u;

/** Begins file names that no person has given. */
const MACHINE_PREFIX = /^(screen[ _-]?shots?|whatsapp (image|video)|bildschirmfoto|capture d.[ée]cran|captura de pantalla|schermafbeelding|photo from)(?!\p{L})/iu;
/** UUIDs and hashes. */
const MACHINE_NAME = /^(\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?|(?=.*\d)[0-9a-f]{16,})$/i;
/** Words of cameras, phones and browsers. A file name of only such words and digits says nothing. */
const MACHINE_WORDS = new Set(
  ('img image images imag photo photos picture pic dsc dscn dscf pxl mvimg pano vid video pict sam gopr gopro gp dji cimg imgp sdc ' +
    'kimg hpim mg wp fb wa received unnamed untitled download file files clipboard pasted signal telegram snapchat facebook cache thumbnail ' +
    'original resized scan frame temp tmp blob attachment').split(' '),
);
/** Words that such names have besides: they count only next to digits or one of the words above. */
const MACHINE_SUFFIXES = new Set('hdr portrait night burst collage edited edit copy cover effects mp raw heic jpeg jpg png at am pm original'.split(' '));

/**
 * The name of a photo on the page: its caption, else its file name without the extension, unless a camera or program
 * has made the name up. Empty if nothing is worth showing.
 * @param {{ caption?: string, fileName: string }} record
 */
export function shownName({ caption, fileName }) {
  if (caption) return caption;
  const name = fileName.replace(/\.[a-z0-9]{2,5}$/i, '').trim();
  return isMadeUp(name) ? '' : name;
}

/**
 * The name of a photo in a sentence.
 * @param {{ caption?: string, fileName: string }} record
 * @param {string} [unnamed] `A photo` at the start of a sentence.
 */
export function nameOf(record, unnamed = 'a photo') {
  const letters = [...shownName(record)];
  if (letters.length === 0) return unnamed;
  return isolated(letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME - 1).join('').trimEnd()}…` : letters.join(''));
}

/** A name or caption in a sentence, which is read in its own direction. @param {string} text */
export function isolated(text) {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

/** The text for people who cannot see the photo. @param {{ alt?: string, caption?: string, fileName: string }} record */
export function altOf(record) {
  const { alt, caption } = record;
  return alt && caption ? `${caption}. ${alt}` : alt || shownName(record) || 'Photo';
}

/** The people who did something; undefined stands for one without a name. @param {(string | undefined)[]} people */
export function peopleIn(people) {
  const different = [...new Set(people)];
  const names = different.filter((name) => name !== undefined).map(isolated);
  if (names.length === 0) return 'Someone';
  if (names.length === 2 && different.length === 2) return `${names[0]} and ${names[1]}`;
  return different.length === 1 ? names[0] : `${names[0]} and others`;
}

/** A text without line breaks. @param {string} text */
export function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim();
}

/** The number of characters that can still be typed, near the limit. @param {HTMLTextAreaElement} field */
export function leftText({ value, maxLength }) {
  const left = maxLength - value.length;
  if (left > NEAR_LIMIT) return '';
  return left === 1 ? '1 character left' : `${left} characters left`;
}

/** @param {string} name Without extension. */
function isMadeUp(name) {
  if (MACHINE_PREFIX.test(name) || MACHINE_NAME.test(name)) return true;
  const words = name.toLowerCase().match(/[\p{L}\p{Extended_Pictographic}]+/gu) ?? [];
  const rest = words.filter((word) => !MACHINE_WORDS.has(word));
  if (rest.length === 0) return true;
  const looksMade = rest.length < words.length || /\d{3}/.test(name);
  return looksMade && rest.every((word) => word.length === 1 || MACHINE_SUFFIXES.has(word));
}

/**
 * A size as the server's messages and file managers give it, in powers of 1,024.
 * @param {number} bytes
 */
export function sizeText(bytes) {
  if (bytes < 1_024) return `${bytes} bytes`;
  const power = Math.min(3, Math.floor(Math.log(bytes / 0.9995) / Math.log(1_024)));
  const [value, unit] = [bytes / 1_024 ** power, ['bytes', 'KB', 'MB', 'GB'][power]];
  return `${new Intl.NumberFormat('en', { maximumSignificantDigits: value < 10 ? 2 : 3 }).format(value)} ${unit}`;
}

/** @param {{ author?: string, createdAt: string }} record */
export function addedText({ author, createdAt }) {
  const date = new Date(createdAt);
  const when = Number.isNaN(date.getTime())
    ? ''
    : new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' }).format(date);
  return [author ? `Added by ${isolated(author)}` : 'Added', when].filter(Boolean).join(author ? ', ' : ' on ');
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000]];

/**
 * A time as its distance from now, such as “5 minutes ago”.
 * @param {string} time
 * @param {number} now In ms.
 */
export function agoText(time, now) {
  const passed = now - Date.parse(time);
  const found = UNITS.find(([, length]) => passed >= length);
  return found ? new Intl.RelativeTimeFormat('en').format(-Math.floor(passed / found[1]), found[0]) : 'just now';
}
