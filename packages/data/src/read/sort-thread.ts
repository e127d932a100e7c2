import { Worker } from 'node:worker_threads';
import type { EventChunk } from '../sessions/sessionizer.ts';
import { compiledFile } from './compiled-file.ts';
import type { EventSorter, SharedSorter } from './event-sorter.ts';

/** What the sorting thread begins with. */
export interface SortThreadData {
  readonly sorter: SharedSorter;
  readonly ownFile: string;
}

export type SortThreadMessage = { readonly chunk: EventChunk } | { readonly end: true } | { readonly error: string };

/** Parts that are ordered before they are asked for. */
const NUM_AHEAD = 2;

/**
 * `sorter.ordered()` on another thread, which is a part or two ahead of this one: the same chunks.
 *
 * @param ownFile that the thread may write
 * @throws what the thread throws, or when it dies
 */
export async function* orderedElsewhere(sorter: EventSorter, ownFile: string): AsyncGenerator<EventChunk> {
  const workerData: SortThreadData = { sorter: sorter.share(), ownFile };
  const worker = new Worker(compiledFile('read/sort-worker.js'), { workerData, execArgv: [] });
  const arrived: SortThreadMessage[] = [];
  let wake = () => {};
  const put = (message: SortThreadMessage) => {
    arrived.push(message);
    wake();
  };
  worker.on('message', put);
  worker.on('error', (error) => put({ error: error.message }));
  worker.on('exit', (code) => put({ error: `the sorting thread ended with ${code}` }));
  try {
    for (let n = 0; n < NUM_AHEAD; n++) worker.postMessage('next');
    for (;;) {
      while (arrived.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const message = arrived.shift();
      if (!message || 'end' in message) return;
      if ('error' in message) throw new Error(message.error);
      worker.postMessage('next');
      yield message.chunk;
    }
  } finally {
    await worker.terminate();
  }
}
