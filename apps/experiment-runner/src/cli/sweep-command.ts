import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, createNimueContainer, type Logger, type NimueServices, servicesOf } from '@nimue/container';
import { evaluatedMetrics } from '@nimue/trainer';
import Table from 'cli-table3';
import { stringify } from 'yaml';
import { carriedColumns } from '../experiment/carried-columns.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { loadExperiment } from '../experiment/load-experiment.ts';
import { parseSetting } from '../experiment/setting.ts';
import { InputError } from '../input-error.ts';
import { asInput } from '../run/input-step.ts';
import { cellKey, codeVersion } from '../sweep/cell-key.ts';
import { type Cell, planCells, rungBudgets } from '../sweep/plan-cells.ts';
import { runCells } from '../sweep/run-cells.ts';
import { describeCell, type FinishedCell, scoreOf, sweepTable } from '../sweep/sweep-table.ts';
import { type CellResult, runInWorker } from '../sweep/worker.ts';
import { watchInterrupt } from './interrupt.ts';

export interface SweepCommandOptions {
  readonly set: readonly string[];
  readonly out: string;
  readonly prepared: string;
  readonly json?: boolean;
}

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
  const interrupt = watchInterrupt(() => process.stderr.write('\nstopping; the same command goes on later\n'));
  const code = await codeVersion();
  const dataKeys = new Map<string, string>();
  const run = async (cells: readonly Cell[]): Promise<FinishedCell[]> => {
    const planned = await Promise.all(cells.map((cell) => loadCell(cell, load)));
    const ready: { cell: Cell; experiment?: Experiment; error?: string; key: string }[] = [];
    for (const { cell, experiment, error } of planned) {
      // One after the other here, so that no two processes prepare the same log.
      const key = experiment
        ? cellKey(experiment.resolved, await dataKeyOf(experiment, services, options, dataKeys), code)
        : '';
      ready.push({ cell, experiment, error, key });
    }
    const outcomes = await runCells({
      cells: ready,
      workers: sweep.workers,
      memoryBytes: sweep.memoryMiB * 2 ** 20,
      signal: interrupt.signal,
      find: ({ key }) => readResult(join(options.out, 'cells', key)),
      run: async ({ experiment, error, key }) => {
        if (!experiment) throw new Error(error);
        return runCell(experiment, join(options.out, 'cells', key), options.prepared, interrupt.signal);
      },
      memoryOf: ({ memoryBytes }: CellResult) => memoryBytes,
      onOutcome: ({ cell }, outcome, index) => {
        const tail =
          outcome.status === 'failed'
            ? `failed: ${outcome.error}`
            : `${outcome.status}, ${metric} ${scoreOf(outcome.result, metric).toFixed(4)}`;
        logger.info(`cell ${index + 1}/${cells.length} ${describeCell(cell)}: ${tail}`);
      },
    });
    return ready.map(({ cell }, i) => ({ cell, outcome: outcomes[i] }));
  };
  try {
    const cells = planCells(sweep).flatMap((cell) => split(cell, whole));
    let finished: FinishedCell[];
    if (sweep.strategy === 'halving') {
      let alive = cells;
      finished = [];
      for (const budget of rungBudgets(sweep)) {
        logger.info(`${alive.length} cells with ${sweep.budget} ${budget}`);
        const rung = await run(alive.map((cell) => ({ ...cell, [sweep.budget]: budget })));
        finished.push(...rung);
        const order = rung
          .flatMap(({ outcome }, i) =>
            outcome.status === 'failed' ? [] : [{ i, score: scoreOf(outcome.result, metric) }],
          )
          .sort((a, b) => b.score - a.score);
        alive = order.slice(0, Math.max(1, Math.floor(alive.length / sweep.factor))).map(({ i }) => alive[i]);
      }
    } else finished = await run(cells);
    await report(finished, metric, whole.name, options, logger);
  } finally {
    interrupt.stop();
  }
}

async function loadCell(cell: Cell, load: (settings: readonly string[]) => Promise<Experiment>) {
  try {
    const settings = Object.entries(cell).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
    return { cell, experiment: await load(settings) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { cell, error: error.message };
  }
}

/** A cell for each model and each seed, where the sweep asks for it. */
function split(cell: Cell, { sweep, seeds, resolved }: Experiment): Cell[] {
  const models = sweep?.eachModel ? (resolved.models as unknown[]).map((model) => ({ models: [model] })) : [{}];
  const bySeed = sweep?.eachSeed ? seeds.map((seed) => ({ seeds: [seed] })) : [{}];
  return models.flatMap((model) => bySeed.map((seed) => ({ ...model, ...cell, ...seed })));
}

async function dataKeyOf(
  experiment: Experiment,
  { datasets }: NimueServices,
  { prepared: directory }: SweepCommandOptions,
  known: Map<string, string>,
): Promise<string> {
  const { dataset, sessions, windows, split: halves } = experiment;
  const columns = carriedColumns(experiment);
  const request = { dataset, sessions, windows, split: halves, columns, directory };
  const asked = JSON.stringify(request);
  const found = known.get(asked);
  if (found) return found;
  const { dataset: prepared } = await asInput('', () => datasets.prepare(request));
  prepared.close();
  known.set(asked, prepared.key);
  return prepared.key;
}

async function runCell(
  experiment: Experiment,
  folder: string,
  prepared: string,
  signal: AbortSignal,
): Promise<CellResult> {
  await mkdir(folder, { recursive: true });
  const { sweep: _, ...resolved } = experiment.resolved;
  const file = join(folder, 'cell.yaml');
  await writeFile(file, stringify(resolved, { aliasDuplicateObjects: false }));
  const result = await runInWorker(file, { out: folder, prepared }, signal);
  await writeFile(join(folder, 'result.json'), JSON.stringify(result, null, 2));
  return result;
}

async function readResult(folder: string): Promise<CellResult | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')) as CellResult;
  } catch {
    return undefined;
  }
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
  await writeFile(file, JSON.stringify({ name, metric, cells: finished }, null, 2));
  logger.info(`sweep: ${file}`);
  if (json) process.stdout.write(`${JSON.stringify({ name, metric, cells: finished }, null, 2)}\n`);
}
