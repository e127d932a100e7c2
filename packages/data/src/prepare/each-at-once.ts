/** Windows that are being written while the next one is laid out. */
export const WRITTEN_AT_ONCE = 3;

/** Works on so many items at a time, in their order. @throws what the first failure throws, when nothing runs any more */
export async function eachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const workNext = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      await work(items[index], index).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, workNext));
  const end = ends.find(({ status }) => status === 'rejected');
  if (end) throw (end as PromiseRejectedResult).reason;
}
