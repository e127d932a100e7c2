import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import {
  createLogger,
  createNimueContainer,
  type Logger,
  type NimueServices,
  type PrepareRequest,
  servicesOf,
} from '@nimue/container';
import type { SharedPreparation } from '@nimue/data';
import { MAX_PRIORITY } from '@nimue/executor';
import { evaluatedMetrics } from '@nimue/trainer';
import Table from 'cli-table3';
import { stringify } from 'yaml';
import { prepareHere, prepareShared } from '../cluster/prepare-shared.ts';
import { type SharedCell, sharePrepared } from '../cluster/shared-cells.ts';
import { carriedColumns } from '../experiment/carried-columns.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { loadExperiment } from '../experiment/load-experiment.ts';
import { parseSetting } from '../experiment/setting.ts';
import { InputError } from '../input-error.ts';
import { asInput } from '../run/input-step.ts';
import { keepResult, readResult, runInFolder } from '../sweep/cell-folder.ts';
import { createCellJobs, type PlannedCell } from '../sweep/cell-jobs.ts';
import { cellKey, codeVersion } from '../sweep/cell-key.ts';
import { type CellResult, createCellPool } from '../sweep/cell-pool.ts';
import { createHalving } from '../sweep/halving.ts';
import { type Cell, planCells, rungBudgets } from '../sweep/plan-cells.ts';
import { describeCell, type FinishedCell, scoreOf, sweepTable } from '../sweep/sweep-table.ts';
import { watchInterrupt } from './interrupt.ts';
import { createStatusLine } from './status-line.ts';
import { wholeNumber } from './whole-number.ts';

export interface SweepCommandOptions {
  readonly set: readonly string[];
  readonly out: string;
  readonly prepared: string;
  /** Address of a Redis whose workers run the cells, instead of processes here. */
  readonly executor?: string;
  readonly queue?: string;
  /** Address of the store that the workers share. */
  readonly store?: string;
  readonly priority?: string;
  /** The log is prepared in so many pieces. */
  readonly shards?: string;
  readonly json?: boolean;
}

/** How the file of a sweep ends, in the folder of its runs. */
export const SWEEP_FILE = '-sweep.yaml';

/** `nimue sweep <files>`; the same command again goes on where it was stopped. */
export async function sweepCommand(files: readonly string[], options: SweepCommandOptions): Promise<void> {
  const terminal = options.json ? process.stderr : process.stdout;
  const logger = createLogger(terminal, process.stderr);
  const services = servicesOf(createNimueContainer({ logger }));
  const { models, losses, objectives } = services;
  const load = (settings: readonly string[]) =>
    loadExperiment(files, { models, losses, objectives, settings: [...options.set, ...settings].map(parseSetting) });
  const whole = await load([]);
  const { sweep } = whole;
  if (!sweep) throw new InputError(`${files.join(', ')}: no sweep section; say what varies, or use nimue run`);
  const metric = sweep.metric ?? evaluatedMetrics(whole.evaluation)[0].label;
  if (whole.evaluation.split === 'test') {
    logger.warn(
      'the sweep compares on the test split: choose on evaluation.split=valid, and report the winner on test',
    );
  }
  const later = options.executor ? '' : `, or nimue resume ${await keepSweep(whole, options.out)}`;
  const interrupt = watchInterrupt(() =>
    process.stderr.write(`\nstopping after this step, and saving; the same command goes on later${later}\n`),
  );
  const code = await codeVersion();
  const memoryBytes = sweep.memoryMiB * 2 ** 20;
  const pool = createCellPool({ memoryBytes, graceMs: CELL_GRACE_MS });
  const priority =
    options.priority === undefined ? undefined : wholeNumber('--priority', options.priority, 1, MAX_PRIORITY);
  const executor = await asInput('', () =>
    services.createExecutor<CellJob, CellResult>({
      redis: options.executor ? { url: options.executor, queue: options.queue, priority } : undefined,
      local: {
        workers: sweep.workers,
        memoryBytes,
        memoryOf: (result) => result.memoryBytes,
        handle: ({ folder = '', directory = '', experiment }, { signal, onProgress }) =>
          runInFolder(pool, folder, { experiment, prepared: directory }, signal, (line) => onProgress({ line })),
      },
    }),
  );
  const store = options.executor ? await asInput('', () => services.openStore(storeOf(options))) : undefined;
  const status = createStatusLine(terminal);
  const dataOf = preparedOnce(services, options, async (request) => {
    const numShards = wholeNumber('--shards', options.shards ?? '1', 1);
    const watch = { signal: interrupt.signal, onProgress: status.show };
    const common = { numShards, pool, code, watch };
    if (!store || !options.executor) return prepareHere(services, request, common);
    const redis = { url: options.executor, queue: options.queue, priority };
    return prepareShared(services, request, { ...common, store, redis });
  });
  const plan = async (cell: Cell): Promise<PlannedCell<CellJob>> => {
    const { experiment, error } = await loadCell(cell, load);
    if (!experiment) return { key: '', outcome: { status: 'failed', error } };
    const { key: dataKey, name: prepared, directory } = await dataOf(experiment);
    const key = cellKey(experiment.resolved, dataKey, code);
    const folder = join(options.out, 'cells', key);
    const found = await readResult(folder);
    if (found) return { key, outcome: { status: 'reused', result: found } };
    if (store && directory) await sharePrepared(store, directory, prepared);
    const { sweep: _, ...resolved } = experiment.resolved;
    const text = stringify(resolved, { aliasDuplicateObjects: false });
    const shared = { key, code, experiment: text, prepared, store: store?.url ?? '' };
    return { key, input: store ? shared : { ...shared, folder, directory } };
  };
  const cells = planCells(sweep).flatMap((cell) => split(cell, whole));
  const { budget, budgets, factor } =
    sweep.strategy === 'halving'
      ? { budget: sweep.budget, budgets: rungBudgets(sweep), factor: sweep.factor }
      : { budget: '', budgets: [0], factor: 2 };
  const isHalving = sweep.strategy === 'halving';
  if (isHalving) logger.info(`${cells.length} cells with ${budget} ${budgets.join(', then the best with ')}`);
  const jobs = createCellJobs<CellJob>({
    halving: createHalving({ numCells: cells.length, numRungs: budgets.length, factor }),
    metric,
    cellOf: ({ cell, rung }) => (isHalving ? { ...cells[cell], [budget]: budgets[rung] } : cells[cell]),
    nameOf: describeCell,
    plan,
    onFinished: (trial, { cell, outcome }) => {
      const tail =
        outcome.status === 'failed'
          ? `failed: ${outcome.error}`
          : `${outcome.status}, ${metric} ${scoreOf(outcome.result, metric).toFixed(4)}`;
      status.clear();
      logger.info(`cell ${trial.cell + 1}/${cells.length} ${describeCell(cell)}: ${tail}`);
    },
    signal: interrupt.signal,
  });
  try {
    if (isHalving) await jobs.restore(cells.length, budgets.length);
    const done: Promise<void>[] = [];
    await executor.run(jobs, {
      signal: interrupt.signal,
      onOutcome: (job, outcome) => {
        if (store && outcome.status !== 'failed') {
          // The next sweep on this machine reuses it like what ran here.
          done.push(keepResult(join(options.out, 'cells', job.id), job.input.experiment, outcome.result));
        }
        jobs.finish(job, outcome);
      },
      onJobProgress: (_job, progress) => status.say((progress as { line?: string }).line),
      onProgress: (progress) => status.show(progress),
    });
    await Promise.all(done);
    status.clear();
    const finished = jobs.finished();
    await report(finished, metric, whole.name, options, logger);
    if (finished.every(({ outcome }) => outcome.status === 'failed')) throw new Error('every cell of the sweep failed');
  } finally {
    interrupt.stop();
    await executor.close();
    pool.close();
  }
}

/** Writes the sweep with every value filled in, for `nimue resume`: the files that it came from may change. @returns the file */
async function keepSweep({ name, resolved }: Experiment, out: string): Promise<string> {
  const file = join(out, `${name}${SWEEP_FILE}`);
  await mkdir(out, { recursive: true });
  const header = '# The sweep with every default filled in: nimue resume goes on with it.\n';
  await writeFile(file, header + stringify(resolved, { aliasDuplicateObjects: false }));
  return file;
}

/** A cell that is stopped may end its step and save for so long; a second Ctrl-C ends it at once. */
const CELL_GRACE_MS = 25_000;

/** What travels with a job: for workers elsewhere without the paths of this machine. */
type CellJob = SharedCell & { readonly folder?: string; readonly directory?: string };

async function loadCell(
  cell: Cell,
  load: (settings: readonly string[]) => Promise<Experiment>,
): Promise<{ experiment: Experiment; error?: undefined } | { experiment?: undefined; error: string }> {
  try {
    const settings = Object.entries(cell).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
    return { experiment: await load(settings) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { error: error.message };
  }
}

/** Not in the folder of the runs' own files: the store may be served to others. */
function storeOf({ store, out }: SweepCommandOptions): string {
  return store ?? join(out, 'store');
}

/** A cell for each model and each seed, where the sweep asks for it. */
function split(cell: Cell, { sweep, seeds, resolved }: Experiment): Cell[] {
  const models = sweep?.eachModel ? (resolved.models as unknown[]).map((model) => ({ models: [model] })) : [{}];
  const bySeed = sweep?.eachSeed ? seeds.map((seed) => ({ seeds: [seed] })) : [{}];
  return models.flatMap((model) => bySeed.map((seed) => ({ ...model, ...cell, ...seed })));
}

/** A prepared data set; its folder is here, or only in the store. */
type Prepared = SharedPreparation & { readonly directory?: string };

/** Prepares the log of an experiment once, however many cells ask. */
function preparedOnce(
  { datasets }: Pick<NimueServices, 'datasets'>,
  { prepared, shards }: SweepCommandOptions,
  inShards: (request: PrepareRequest) => Promise<Prepared>,
): (experiment: Experiment) => Promise<Prepared> {
  const known = new Map<string, Prepared>();
  return async (experiment) => {
    const { dataset, sessions, windows, split: halves } = experiment;
    const columns = carriedColumns(experiment);
    const request = { dataset, sessions, windows, split: halves, columns, directory: prepared };
    const asked = JSON.stringify(request);
    const found = known.get(asked);
    if (found) return found;
    const whole = async () => {
      const { dataset: opened } = await datasets.prepare(request);
      opened.close();
      return { key: opened.key, name: basename(opened.directory), directory: resolve(opened.directory) };
    };
    const made = await asInput('', () => (shards === undefined ? whole() : inShards(request)));
    known.set(asked, made);
    return made;
  };
}

async function report(
  finished: readonly FinishedCell[],
  metric: string,
  name: string,
  { out, json }: SweepCommandOptions,
  logger: Logger,
): Promise<void> {
  const { head, rows } = sweepTable(finished, metric);
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push([...row]);
  logger.info(`\n${table.toString()}`);
  const file = join(out, `${name}-sweep.json`);
  await mkdir(out, { recursive: true });
  await writeFile(file, JSON.stringify({ name, metric, cells: finished }, null, 2));
  logger.info(`sweep: ${file}`);
  if (json) process.stdout.write(`${JSON.stringify({ name, metric, cells: finished }, null, 2)}\n`);
}
