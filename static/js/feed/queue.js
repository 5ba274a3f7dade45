// @ts-check
// Many commands at once: the server carries them out one after the other, and lets a few wait.

const AT_ONCE = 8;

/**
 * Does it for all of them, a few at a time, in their order.
 * @template T
 * @param {Iterable<T>} items
 * @param {(item: T) => Promise<unknown>} act
 */
export async function forEachConcurrently(items, act) {
  const queue = [...items];
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
