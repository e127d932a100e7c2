import { mkdir } from 'node:fs/promises';
import { createNimueContainer, openPreparedData, servicesOf } from '@nimue/container';
import { runShardJob, type ShardResult } from '@nimue/data';
import { parseExperiment } from '../experiment/load-experiment.ts';
import { InputError } from '../input-error.ts';
import { createProgressTracker } from '../run/progress.ts';
import { runExperiment } from '../run/run-experiment.ts';
import { createLineView } from '../run/show-progress.ts';
import type { CellAnswer, CellMessage, CellRequest, CellResult, ShardRequest } from './cell-pool.ts';

/**
 * The process that runs cells and pieces of preparations, one after the other, for the process that started it (`nimue cell-process`, with an IPC
 * channel). It ends when that one is gone.
 */
export function serveCells(): void {
  const { send } = process;
  if (!send) throw new InputError('cell-process is started by nimue sweep and nimue worker');
  const answer = (message: CellAnswer) => void send.call(process, message);
  process.on('disconnect', () => process.exit());
  let stopping = new AbortController();
  process.on('message', (message: CellMessage) => {
    if (message.type === 'stop') return stopping.abort(new Error('stopped'));
    stopping = new AbortController();
    const work: Promise<CellResult | ShardResult> =
      message.type === 'prepare'
        ? runShard(message.request)
        : runCell(message.request, stopping.signal, (line) => answer({ type: 'progress', line }));
    work.then(
      (result) => answer({ type: 'result', result }),
      (error: unknown) =>
        answer({
          type: 'error',
          message: error instanceof Error ? error.message : String(error),
          isInput: error instanceof InputError,
        }),
    );
  });
  answer({ type: 'ready' });
}

async function runShard({ job, store, scratch, threads }: ShardRequest): Promise<ShardResult> {
  const { openStore } = servicesOf(createNimueContainer());
  await mkdir(scratch, { recursive: true });
  return runShardJob(job, { files: await openStore(store), scratch, threads });
}

async function runCell(
  { experiment: text, prepared, out, resume }: CellRequest,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<CellResult> {
  const logger = { info: onLine, warn: onLine };
  const container = createNimueContainer({
    logger,
    datasets: { prepare: ({ dataset }) => openPreparedData(dataset, prepared) },
  });
  const services = servicesOf(container);
  const { models, losses, objectives } = services;
  const experiment = parseExperiment('cell.yaml', text, { models, losses, objectives, environment: {} });
  const outcome = await runExperiment(experiment, services, {
    runsDirectory: out,
    resume,
    signal,
    watch: (plan, clock) => createLineView(createProgressTracker(plan, clock), logger),
  });
  return {
    run: outcome.path,
    models: outcome.summaries.map((summary) => ({
      model: summary.model,
      metrics: summary.metrics,
      trainSeconds: summary.trainSeconds,
      numEventsRead: outcome.usage.find(({ model }) => model === summary.model)?.numEventsRead ?? 0,
    })),
    memoryBytes: process.resourceUsage().maxRSS * 1024,
  };
}
