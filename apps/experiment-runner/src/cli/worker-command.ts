import { availableParallelism } from 'node:os';
import { createLogger, createNimueContainer, servicesOf } from '@nimue/container';
import { startRedisWorker } from '@nimue/executor';
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
  readonly healthPort?: string;
}

/** `nimue worker`: takes cells of sweeps and pieces of preparations until it is asked to stop. */
export async function workerCommand(options: WorkerCommandOptions): Promise<void> {
  const logger = createLogger(process.stdout, process.stderr);
  const { openStore } = servicesOf(createNimueContainer({ logger }));
  const concurrency = wholeNumber('--concurrency', options.concurrency, 1);
  const lockMs = 1000 * wholeNumber('--lock-seconds', options.lockSeconds, 1);
  const graceMs = 1000 * wholeNumber('--grace-seconds', options.graceSeconds, 0);
  const { redis: url, queue, cache, store } = options;
  const threads = Math.max(1, Math.floor(availableParallelism() / concurrency));
  const code = await codeVersion();
  const pool = createCellPool();
  const worker = await asInput('', () =>
    startRedisWorker({
      url,
      queue,
      concurrency,
      lockMs,
      handle: handleJob({ pool, code, openStore, store, cache, threads }),
      onEvent: (line) => logger.info(`${new Date().toISOString()} ${line}`),
    }),
  );
  try {
    if (options.healthPort !== undefined) {
      const port = wholeNumber('--health-port', options.healthPort, 0);
      await startHealthServer(port, () => ({ isConnected: worker.isConnected(), active: worker.active() }));
    }
    logger.info(`worker: Nimue ${code}, queue ${queue}, ${concurrency} at a time; Ctrl-C or SIGTERM stops it`);
    await untilStopped();
    logger.info(`stopping: cells that run have ${graceMs / 1000} s to end, then they go back to the queue`);
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
