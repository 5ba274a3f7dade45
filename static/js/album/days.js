// @ts-check
// Days in the local time of the viewer, and their headings.

const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long' });
const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long' });
const DATE_OF_YEAR = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });

/**
 * The midnight with which the day of a time begins.
 * @param {Date} time
 */
export function startOfDay(time) {
  return addDays(time, 0);
}

/**
 * The midnight with which another day begins. Days with a change of the clock have 23 or 25 hours.
 * @param {Date} time
 * @param {number} days
 */
export function addDays(time, days) {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate() + days);
}

/**
 * The heading of a day: “Today”, “Yesterday”, “Thursday, 26 November”, with the year unless it is this one.
 * @param {Date} day
 * @param {Date} now
 */
export function dayText(day, now) {
  if (Number.isNaN(day.getTime())) return 'Undated';
  const start = startOfDay(day).getTime();
  if (start === startOfDay(now).getTime()) return 'Today';
  if (start === addDays(now, -1).getTime()) return 'Yesterday';
  const date = day.getFullYear() === now.getFullYear() ? DATE : DATE_OF_YEAR;
  return `${WEEKDAY.format(day)}, ${date.format(day)}`;
}
