import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { messageOf } from './engine.ts';
import { EventSorter } from './event-sorter.ts';
import type { SortThreadData, SortThreadMessage } from './sort-thread.ts';

/** The sorting thread: orders one part of the log for every request. */
function serve({ sorter: shared, ownFile }: SortThreadData): void {
  const sorter = EventSorter.attach(shared, ownFile);
  const ordered = sorter.ordered();
  const send = (message: SortThreadMessage, transferred: ArrayBuffer[] = []) =>
    parentPort?.postMessage(message, transferred);
  parentPort?.on('message', () => {
    try {
      const { value: chunk, done } = ordered.next();
      if (done) {
        sorter.close();
        send({ end: true });
        return;
      }
      const { keys, itemCodes, timestampsMs, startsMs, columns = [] } = chunk;
      const arrays = [keys, itemCodes, timestampsMs, ...(startsMs ? [startsMs] : []), ...columns];
      send(
        { chunk },
        arrays.map(({ buffer }) => buffer as ArrayBuffer),
      );
    } catch (error) {
      send({ error: messageOf(error) });
    }
  });
}

if (!isMainThread) serve(workerData as SortThreadData);
