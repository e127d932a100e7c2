import { availableParallelism } from 'node:os';
import { createLogger, createNimueContainer, servicesOf } from '@nimue/container';
import { describeWorkerEvent, startRedisWorker, type WorkerEvent } from '@nimue/executor';
import { handleJob } from '../cluster/handle-job.ts';
import { startHealthServer } from '../cluster/health-server.ts';
import { asInput } from '../run/input-step.ts';
import { codeVersion } from '../sweep/cell-key.ts';
import { createCellPool } from '../sweep/cell-pool.ts';
import { wholeNumber } from './whole-number.ts';

export interface WorkerCommandOptions {
  readonly redis: string;
  readonly queue: string;
  readonly concurrency: string;
  readonly store?: string;
  readonly cache: string;
  readonly lockSeconds: string;
  readonly graceSeconds: string;
  readonly keepSeconds: string;
  readonly healthPort?: string;
  readonly json?: boolean;
}

/** A cell goes on from what another worker has left in the store. */
interface Resumed {
  readonly type: 'resumes';
  readonly job: string;
}

function describeResumed({ job }: Resumed): string {
  return `${job}: goes on from the checkpoint of the worker before`;
}

/** What the process of a cell has to end its step and save, once the cell goes back to the queue. */
const SAVE_MS = 10_000;

/** `nimue worker`: takes cells of sweeps and pieces of preparations until it is asked to stop. */
export async function workerCommand(options: WorkerCommandOptions): Promise<void> {
  const logger = createLogger(options.json ? process.stderr : process.stdout, process.stderr);
  const tell = (event: WorkerEvent | Resumed) => {
    const time = new Date().toISOString();
    if (options.json) process.stdout.write(`${JSON.stringify({ time, ...event })}\n`);
    else logger.info(`${time} ${event.type === 'resumes' ? describeResumed(event) : describeWorkerEvent(event)}`);
  };
  const { openStore } = servicesOf(createNimueContainer({ logger }));
  const concurrency = wholeNumber('--concurrency', options.concurrency, 1);
  const lockMs = 1000 * wholeNumber('--lock-seconds', options.lockSeconds, 1);
  const graceMs = 1000 * wholeNumber('--grace-seconds', options.graceSeconds, 0);
  const keepMs = 1000 * wholeNumber('--keep-seconds', options.keepSeconds, 1);
  const { redis: url, queue, cache, store } = options;
  const threads = Math.max(1, Math.floor(availableParallelism() / concurrency));
  const code = await codeVersion();
  const pool = createCellPool({ graceMs: SAVE_MS });
  const onResumed = (job: string) => tell({ type: 'resumes', job });
  const worker = await asInput('', () =>
    startRedisWorker({
      url,
      queue,
      concurrency,
      lockMs,
      handle: handleJob({ pool, code, openStore, store, cache, threads, keepMs, onResumed }),
      onEvent: tell,
    }),
  );
  try {
    if (options.healthPort !== undefined) {
      const port = wholeNumber('--health-port', options.healthPort, 0);
      await startHealthServer(port, () => ({ isConnected: worker.isConnected(), active: worker.active() }));
    }
    logger.info(`worker: Nimue ${code}, queue ${queue}, ${concurrency} at a time; Ctrl-C or SIGTERM stops it`);
    await untilStopped();
    logger.info(`stopping: cells that run have ${graceMs / 1000} s to end, then they save and go back to the queue`);
    await worker.close(graceMs);
  } finally {
    pool.close();
  }
}

/** The second signal ends the process at once. */
async function untilStopped(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    // Nothing else may hold the process while it waits for work.
    const timer = setInterval(() => {}, 1 << 30);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => clearInterval(timer));
  });
}
