import { Worker } from 'node:worker_threads';
import type { WindowInfo } from '../dataset/windowed-dataset.ts';
import { compiledFile } from '../read/compiled-file.ts';
import type { PlannedWindow } from '../windows/plan-windows.ts';
import { WRITTEN_AT_ONCE } from './each-at-once.ts';
import { writeWindow } from './session-files.ts';
import { keepSessions, type SessionSample } from './session-sample.ts';
import type { SharedSpool, WindowSpool } from './window-spool.ts';

/** Where windows go, and which there are: plain values. */
export interface WindowsToWrite {
  readonly directory: string;
  readonly plan: readonly PlannedWindow[];
  readonly columnKeys: readonly string[];
}

/** What the writing thread begins with. */
export interface WriteThreadData {
  readonly spool: SharedSpool;
  readonly target: WindowsToWrite;
  /** The next window that nobody has taken. */
  readonly next: Int32Array;
}

export type WriteThreadMessage =
  | { readonly written: WrittenWindow }
  | { readonly end: true }
  | { readonly error: string };

export interface WrittenWindow {
  readonly index: number;
  readonly numSessions: number;
  readonly numEvents: number;
  /** Size of every file. */
  readonly files: Readonly<Record<string, number>>;
}

/**
 * Writes the sessions of every window; with `helperThread`, another thread takes windows too.
 *
 * @returns the windows, and the size of every file
 * @throws naming the file that cannot be written
 */
export async function writeWindows(
  spool: WindowSpool,
  target: WindowsToWrite,
  { sample, helperThread = false }: { readonly sample?: SessionSample; readonly helperThread?: boolean },
  onWritten: (numWindows: number) => void,
): Promise<{ readonly windows: WindowInfo[]; readonly files: Record<string, number> }> {
  const { plan } = target;
  const windows: WindowInfo[] = [];
  const files: Record<string, number> = {};
  let done = 0;
  const put = ({ index, numSessions, numEvents, files: some }: WrittenWindow) => {
    windows[index] = { ...plan[index], numSessions, numEvents };
    Object.assign(files, some);
    onWritten(++done);
  };
  const next = new Int32Array(new SharedArrayBuffer(4));
  const helps = helperThread && sample === undefined && plan.length > 1;
  const elsewhere = helps ? writeElsewhere({ spool: spool.share(), target, next }, put) : Promise.resolve();
  // Whoever fails first stops the other, and is heard.
  const here = takeWindows(spool, target, next, put, sample);
  const [first, second] = await Promise.allSettled([here, elsewhere]);
  for (const outcome of [first, second]) if (outcome.status === 'rejected') throw outcome.reason;
  return { windows, files };
}

/** Writes one window after the other, until none is left to be taken. */
export async function takeWindows(
  spool: WindowSpool,
  { directory, plan, columnKeys }: WindowsToWrite,
  next: Int32Array,
  put: (window: WrittenWindow) => void,
  sample?: SessionSample,
): Promise<void> {
  const writeNext = async () => {
    for (let index = Atomics.add(next, 0, 1); index < plan.length; index = Atomics.add(next, 0, 1)) {
      const all = spool.take(index);
      const sessions = sample ? keepSessions(all, (id, startMs) => sample.has(id, startMs)) : all;
      const files = await writeWindow(directory, plan[index].id, sessions, columnKeys);
      put({ index, numSessions: sessions.ids.length, numEvents: sessions.itemCodes.length, files });
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(WRITTEN_AT_ONCE, plan.length) }, () =>
      writeNext().catch((error: unknown) => {
        Atomics.store(next, 0, plan.length);
        throw error;
      }),
    ),
  );
  // Thrown when nothing is being written any more.
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function writeElsewhere(workerData: WriteThreadData, put: (window: WrittenWindow) => void): Promise<void> {
  const worker = new Worker(compiledFile('prepare/write-worker.js'), { workerData, execArgv: [] });
  try {
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: WriteThreadMessage) => {
        if ('written' in message) put(message.written);
        else if ('end' in message) resolve();
        else reject(new Error(message.error));
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`the writing thread ended with ${code}`)));
    });
  } catch (error) {
    Atomics.store(workerData.next, 0, workerData.target.plan.length);
    throw error;
  } finally {
    await worker.terminate();
  }
}
