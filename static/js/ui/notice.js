// @ts-check
// Short messages in the live region `#notices`. They disappear after a few seconds.

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
