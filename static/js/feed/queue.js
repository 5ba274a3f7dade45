// @ts-check
// Limits the number of pending commands. The server runs the commands of a session one by one and queues only a few.

const MAX_PENDING = 8;

/**
 * Calls `act` for every item, in order, with at most `MAX_PENDING` unresolved promises.
 * @template T
 * @param {Iterable<T>} items
 * @param {(item: T) => Promise<unknown>} act
 */
export async function forEachConcurrently(items, act) {
  const queue = [...items];
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: MAX_PENDING }, work));
}
