// @ts-check
// Announcements to screen readers, through the live regions of the page.

/** Messages within this time are announced together. */
const GATHER_MS = 400;

/** @type {Map<string, string[]>} */
const gathered = new Map();

/**
 * @param {string} text
 * @param {'polite' | 'assertive'} [urgency]
 */
export function announce(text, urgency = 'polite') {
  const texts = gathered.get(urgency);
  if (texts) {
    texts.push(text);
    return;
  }
  gathered.set(urgency, [text]);
  setTimeout(() => say(urgency), GATHER_MS);
}

/** @param {string} urgency */
function say(urgency) {
  const texts = gathered.get(urgency) ?? [];
  gathered.delete(urgency);
  const region = document.getElementById(`say-${urgency}`);
  if (region) region.textContent = texts.join(' ');
}

/**
 * Announces a single event by name, and several within `GATHER_MS` by their count.
 * @param {(name: string) => string} one
 * @param {(count: number) => string} many
 * @returns {(name: string) => void}
 */
export function announcer(one, many) {
  /** @type {string[]} */
  let names = [];
  const tell = () => {
    announce(names.length === 1 ? one(names[0]) : many(names.length));
    names = [];
  };
  return (name) => {
    names.push(name);
    if (names.length === 1) setTimeout(tell, GATHER_MS);
  };
}
