import { dirname, join, resolve } from 'node:path';
import type { ChosenBackend, Clock, NamedConfig, NimueServices, PreparedData } from '@nimue/container';
import { type PrepareProgress, planEvaluation, type WindowedDataset } from '@nimue/data';
import { CheckpointError, listenerOf, narrowsCatalogue, type TrainedModel, type TrainerCallback } from '@nimue/trainer';
import { carriedColumns } from '../experiment/carried-columns.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { tensorboardFiles } from '../export/write-tensorboard.ts';
import { InputError } from '../input-error.ts';
import type { RunReport } from '../report/run-report.ts';
import { titlesOf } from '../samples/sample-recommendations.ts';
import { checksumOfPrepared } from './data-checksum.ts';
import { describeRun } from './describe-run.ts';
import { describeEnvironment, type RunEnvironment } from './environment.ts';
import { asInput, stoppable } from './input-step.ts';
import { reopenRunFolder } from './reopen-run-folder.ts';
import { reportFiles } from './report-files.ts';
import { resultLines } from './run-callbacks.ts';
import { createRunFolder } from './run-folder.ts';
import { runParts } from './run-parts.ts';
import type { RunPart, RunPlan } from './run-plan.ts';
import { type SavedModel, saveModel } from './saved-models.ts';
import type { ProgressView } from './show-progress.ts';

/** What a run needs of the container. */
export type RunServices = Pick<
  NimueServices,
  'artifacts' | 'chooseBackend' | 'clock' | 'datasets' | 'logger' | 'models' | 'trainer'
>;

export interface RunExperimentOptions {
  /** Holds a folder per experiment, and in it one per run. Default `runs`. */
  readonly runsDirectory?: string;
  /** The folder of a run that was stopped, to go on in it after the windows that are done. */
  readonly resume?: string;
  /** Prepared logs, reused from run to run. Default `prepared`. */
  readonly preparedDirectory?: string;
  /** Stops the run between two steps; what is finished stays in `metrics.jsonl`. */
  readonly signal?: AbortSignal;
  /** Follows the preparation of the log; hears nothing when it was prepared before. */
  readonly preparation?: { onProgress(progress: PrepareProgress): void; close(): void };
  /** Gives the view of the run's progress, when the plan is known. */
  readonly watch?: (plan: RunPlan, clock: Clock) => ProgressView;
}

export interface RunOutcome extends RunReport {
  /** The run's folder. */
  readonly path: string;
  readonly backend: ChosenBackend;
}

/**
 * Runs an experiment from log to report: data into windows, then every model with every seed through the same windows,
 * then the report. Nothing is written to the runs' folder before data and plan are known to be good.
 *
 * @throws InputError when the data or the backend do not fit the experiment
 */
export async function runExperiment(
  experiment: Experiment,
  services: RunServices,
  options: RunExperimentOptions = {},
): Promise<RunOutcome> {
  const { clock, logger } = services;
  const startedAt = clock.now();
  const backend = await asInput('', () => services.chooseBackend(experiment.backend));
  logger.info(backend.line);
  const prepared = await asInput('', () => prepare(experiment, services, options));
  try {
    const plan = await asInput(`${experiment.name}: `, () => planRun(experiment, prepared, services));
    for (const line of describeRun(prepared.dataset, plan, experiment)) logger.info(line);
    const titles = await asInput('report.titles: ', () => titlesOf(experiment));
    const { key, directory } = prepared.dataset;
    const data = { key, checksum: await checksumOfPrepared(directory), directory: resolve(directory) };
    const environment = await describeEnvironment(backend, data, startedAt);
    const { path, report } = await runIntoFolder(
      experiment,
      environment,
      { log: prepared.dataset, plan, titles },
      services,
      options,
    );
    return { ...report, path, backend };
  } finally {
    prepared.dataset.close();
  }
}

async function prepare(
  experiment: Experiment,
  { datasets }: RunServices,
  { preparedDirectory: directory = 'prepared', preparation, signal }: RunExperimentOptions,
): Promise<PreparedData> {
  const onProgress = preparation?.onProgress;
  const { dataset, sessions, windows, split } = experiment;
  const columns = carriedColumns(experiment);
  try {
    return await stoppable(
      datasets.prepare({ dataset, sessions, windows, split, columns, directory, onProgress }),
      signal,
    );
  } finally {
    preparation?.close();
  }
}

async function planRun(
  experiment: Experiment,
  { dataset, references }: PreparedData,
  services: RunServices,
): Promise<RunPlan> {
  const { contenders, seeds, policy, split, windows, evaluation } = experiment;
  const narrowed = narrowsCatalogue(evaluation);
  const comparable = narrowed.length === 0 ? references : [];
  if (comparable.length < references.length) {
    const labels = references.map(({ label }) => label).join(', ');
    services.logger.info(
      `no row for ${labels}: it ranks over the whole catalogue, which evaluation.${narrowed.join(' and ')} does not`,
    );
  }
  const parts: RunPart[] = comparable.map((reference) => ({ kind: 'reference', reference, seed: seeds[0] }));
  for (const config of contenders) {
    const contender = services.trainer.createContender(config);
    const isNeural = services.models.get(config.model.name)?.kind === 'neural';
    const isPopularity = config.model.name === 'popularity';
    for (const seed of seeds) {
      parts.push({ kind: 'contender', contender, model: config.model, isNeural, isPopularity, seed });
    }
  }
  const planned = await planEvaluation(dataset, policy, { timeZone: windows.timeZone, split });
  return { dataset: planned.dataset, evaluation: planned.plan, parts };
}

interface RunInput {
  readonly log: WindowedDataset;
  readonly plan: RunPlan;
  /** Raw item id → title. */
  readonly titles: ReadonlyMap<string, string>;
}

async function runIntoFolder(
  experiment: Experiment,
  environment: RunEnvironment,
  { log, plan, titles }: RunInput,
  { artifacts, clock, logger, trainer }: RunServices,
  { runsDirectory = 'runs', resume, signal, watch }: RunExperimentOptions,
): Promise<{ path: string; report: RunReport }> {
  const folder = resume
    ? await reopenRunFolder(resume, environment, artifacts)
    : await createRunFolder(experiment, environment, { artifacts, runsDirectory });
  const checkpoints = {
    directory: join(folder.path, 'checkpoints'),
    resume: resume !== undefined,
    ...experiment.checkpoints,
    dataChecksum: environment.data.checksum,
  };
  const view = watch?.(plan, clock);
  const models: SavedModel[] = [];
  const report = reportFiles({
    experiment,
    environment,
    plan,
    log,
    titles,
    models,
    clock,
    folder,
    // A resumed run lies in the folder of runs that it was begun in.
    runsDirectory: resume ? dirname(dirname(resolve(resume))) : runsDirectory,
  });
  const callbacks: readonly TrainerCallback[] = [
    resultLines(folder),
    tensorboardFiles(folder.path, new Date(environment.startedAt)),
    report,
    ...(view ? [view] : []),
  ];
  let numResults = 0;
  try {
    const { evaluation, features } = experiment;
    const { timeZone } = experiment.windows;
    const onEvent = listenerOf(callbacks);
    const onResult = () => void numResults++;
    const { keepModels, samples, users, sessions } = experiment.report;
    const isNeeded = keepModels || samples + users.length + sessions.length > 0;
    const onTrained = isNeeded
      ? async ({ model }: { readonly model: NamedConfig }, trained: TrainedModel) => {
          models.push(await saveModel(folder.path, trained, model, titles));
        }
      : undefined;
    await runParts(plan, {
      trainer,
      evaluation,
      timeZone,
      features,
      checkpoints,
      signal,
      onResult,
      onEvent,
      onTrained,
    });
    view?.close();
  } catch (error) {
    view?.close();
    const numExpected = plan.parts.length * plan.evaluation.steps.length;
    logger.info(`${numResults} of ${numExpected} window results are in ${folder.path}/metrics.jsonl`);
    logger.info(`to go on: nimue resume ${folder.path}`);
    // Which file is at fault, and what can be done, is in its message.
    throw error instanceof CheckpointError ? new InputError(error.message, { cause: error }) : error;
  } finally {
    folder.close();
  }
  for (const callback of callbacks) await callback.onDone?.();
  return { path: folder.path, report: report.report() };
}
