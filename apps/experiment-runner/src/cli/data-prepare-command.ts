import { join, resolve } from 'node:path';
import { createLogger, createNimueContainer, servicesOf } from '@nimue/container';
import { prepareHere, prepareShared } from '../cluster/prepare-shared.ts';
import { carriedColumns } from '../experiment/carried-columns.ts';
import { loadExperiment } from '../experiment/load-experiment.ts';
import { parseSetting } from '../experiment/setting.ts';
import { InputError } from '../input-error.ts';
import { formatDuration } from '../report/format.ts';
import { asInput } from '../run/input-step.ts';
import { codeVersion } from '../sweep/cell-key.ts';
import { createCellPool } from '../sweep/cell-pool.ts';
import { watchInterrupt } from './interrupt.ts';
import { createStatusLine } from './status-line.ts';
import { wholeNumber } from './whole-number.ts';

export interface DataPrepareCommandOptions {
  readonly set: readonly string[];
  readonly prepared: string;
  /** Absent: one process reads the log. */
  readonly shards?: string;
  readonly executor?: string;
  readonly queue?: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** `nimue data prepare <files>`: the sessions of an experiment by window, ready for its runs. */
export async function dataPrepareCommand(files: readonly string[], options: DataPrepareCommandOptions): Promise<void> {
  const terminal = options.json ? process.stderr : process.stdout;
  const logger = createLogger(terminal, process.stderr);
  const services = servicesOf(createNimueContainer({ logger }));
  const { models, losses, objectives } = services;
  const numShards = options.shards === undefined ? undefined : wholeNumber('--shards', options.shards, 1);
  if (options.executor && !numShards)
    throw new InputError('--executor: the workers take a log in pieces; say how many by --shards');
  const settings = options.set.map(parseSetting);
  const experiment = await loadExperiment(files, { models, losses, objectives, settings });
  const { dataset, sessions, windows, split } = experiment;
  const columns = carriedColumns(experiment);
  const request = { dataset, sessions, windows, split, columns, directory: options.prepared };
  const interrupt = watchInterrupt(() => process.stderr.write('\nstopping; the same command goes on later\n'));
  const status = createStatusLine(terminal);
  const pool = createCellPool();
  const startMs = performance.now();
  try {
    const code = await codeVersion();
    const inShards = (pieces: number) => ({
      numShards: pieces,
      pool,
      code,
      watch: {
        signal: interrupt.signal,
        onProgress: status.show,
        onFinished: (name: string) => {
          status.clear();
          logger.info(`${name} after ${formatDuration((performance.now() - startMs) / 1000)}`);
        },
      },
    });
    const where = await asInput('', async () => {
      if (!numShards) {
        const { dataset: opened } = await services.datasets.prepare(request);
        opened.close();
        return resolve(opened.directory);
      }
      if (!options.executor) return resolve((await prepareHere(services, request, inShards(numShards))).directory);
      const store = await services.openStore(options.store ?? join(options.prepared, 'store'));
      const redis = { url: options.executor, queue: options.queue };
      const { name } = await prepareShared(services, request, { ...inShards(numShards), store, redis });
      return `${store.url}/prepared/${name}`;
    });
    status.clear();
    const seconds = (performance.now() - startMs) / 1000;
    logger.info(`prepared: ${where}, in ${formatDuration(seconds)}`);
    if (options.json) process.stdout.write(`${JSON.stringify({ prepared: where, seconds }, null, 2)}\n`);
  } finally {
    interrupt.stop();
    pool.close();
  }
}
