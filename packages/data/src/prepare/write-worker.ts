import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../read/engine.ts';
import { WindowSpool } from './window-spool.ts';
import { takeWindows, type WriteThreadData, type WriteThreadMessage } from './write-windows.ts';

/** The writing thread: takes windows along with the main thread until none is left. */
async function serve({ spool: shared, target, next }: WriteThreadData): Promise<void> {
  const send = (message: WriteThreadMessage) => parentPort?.postMessage(message);
  const spool = WindowSpool.attach(shared);
  try {
    await takeWindows(spool, target, next, (written) => send({ written }));
    send({ end: true });
  } catch (error) {
    send({ error: messageOf(error) });
  } finally {
    spool.close();
  }
}

if (!isMainThread) void serve(workerData as WriteThreadData);
