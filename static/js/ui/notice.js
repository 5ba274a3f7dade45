// @ts-check
// Short messages that go away by themselves, in the page's `#notices`, which is a live region.

const SHOWN_MS = 6_000;

/** @param {string} text */
export function notice(text) {
  const region = document.getElementById('notices');
  if (!region) return;
  for (const other of region.children) if (other.textContent === text) other.remove();
  const message = document.createElement('p');
  message.textContent = text;
  region.append(message);
  setTimeout(() => message.remove(), SHOWN_MS);
}
