import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FIRST_ITEM_ID } from '@nimue/batch';
import type { ChosenBackend, NimueServices } from '@nimue/container';
import { ItemVocabulary, planEvaluation, type WindowedDataset } from '@nimue/data';
import { type OpenedModel, readModelFolder } from '@nimue/recommender';
import {
  evaluateTrained,
  type ModelSummary,
  narrowsCatalogue,
  summarizeResults,
  type WindowResult,
} from '@nimue/trainer';
import { carriedColumns } from '../experiment/carried-columns.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { didYouMean } from '../experiment/known-keys.ts';
import { InputError } from '../input-error.ts';
import { asInput } from '../run/input-step.ts';
import { windowsToEvaluate } from './windows-to-evaluate.ts';

export interface EvaluateRunOptions {
  /** Labels of the models to evaluate. Default: all that the run has kept. */
  readonly models?: readonly string[];
  readonly preparedDirectory?: string;
  readonly signal?: AbortSignal;
}

export interface EvaluatedRun {
  readonly summaries: readonly ModelSummary[];
  readonly results: readonly WindowResult[];
  readonly references: readonly string[];
  readonly backend: ChosenBackend;
}

/**
 * Evaluates the models that a run has kept, without training: by the experiment's own evaluation, or another one, on its log
 * or on a newer one.
 *
 * @param run folder of the run
 * @throws InputError when the run has kept no model, or no window of the log is later than what a model has learned from
 */
export async function evaluateRun(
  run: string,
  experiment: Experiment,
  {
    chooseBackend,
    datasets,
    logger,
    trainer,
  }: Pick<NimueServices, 'chooseBackend' | 'datasets' | 'logger' | 'trainer'>,
  { models = [], preparedDirectory: directory = 'prepared', signal }: EvaluateRunOptions = {},
): Promise<EvaluatedRun> {
  const folders = await modelFolders(run);
  const backend = await asInput('', () => chooseBackend(experiment.backend));
  logger.info(backend.line);
  const { dataset: log, sessions, windows, policy, split, evaluation } = experiment;
  const columns = carriedColumns(experiment);
  const request = { dataset: log, sessions, windows, split, columns, directory };
  const prepared = await asInput('', () => datasets.prepare(request));
  try {
    const { dataset, plan } = await asInput('', () =>
      planEvaluation(prepared.dataset, policy, { timeZone: windows.timeZone, split }),
    );
    const results: WindowResult[] = [];
    const labels = new Set<string>();
    for (const folder of folders) {
      signal?.throwIfAborted();
      const opened = await asInput('', () => readModelFolder(folder));
      const { label, seed, trainWindows, maxLength } = opened.manifest;
      labels.add(label);
      try {
        if (models.length > 0 && !models.includes(label)) continue;
        const choice = await asInput(`${label}: `, () => windowsToEvaluate(trainWindows, dataset, plan));
        if (choice.note) logger.warn(`${label}: ${choice.note}`);
        const own = await asInput(`${label}: `, () =>
          evaluateTrained({
            label,
            seed,
            model: opened.model,
            vocabulary: vocabularyOf(opened, dataset),
            objective: opened.objective,
            ...(maxLength !== undefined && { maxLength }),
            ...(opened.pipeline && { pipeline: opened.pipeline }),
            dataset,
            evaluation,
            timeZone: windows.timeZone,
            ...choice,
          }),
        );
        results.push(...own);
      } finally {
        opened.model.dispose();
      }
    }
    for (const label of models) {
      if (!labels.has(label))
        throw new InputError(
          `--model ${label}: the run has kept ${[...labels].join(', ')}${didYouMean(label, [...labels])}`,
        );
    }
    // Folders come by name, rows stand as in the experiment file.
    const placeOf = (model: string) => experiment.contenders.findIndex(({ label }) => label === model);
    results.sort((a, b) => placeOf(a.model) - placeOf(b.model) || a.seed - b.seed);
    const references = narrowsCatalogue(evaluation).length === 0 ? prepared.references : [];
    const asked = [...new Set(results.map(({ evaluateWindow }) => evaluateWindow))];
    const steps = asked.map((id) => ({
      trainWindows: [],
      evaluateWindow: dataset.windows.findIndex((window) => window.id === id),
      carryWeights: false,
    }));
    const rows: WindowResult[] = [];
    for (const reference of references) {
      rows.push(
        ...(await trainer.runReference(reference, { dataset, plan: { ...plan, steps }, evaluation, seed: 1, signal })),
      );
    }
    const all = [...rows, ...results];
    return {
      summaries: summarizeResults(all),
      results: all,
      references: references.map(({ label }) => label),
      backend,
    };
  } finally {
    prepared.dataset.close();
  }
}

async function modelFolders(run: string): Promise<string[]> {
  const names = await readdir(join(run, 'models')).catch(() => [] as string[]);
  const folders = names.filter((name) => !name.includes('.tmp') && !name.endsWith('.former')).sort();
  if (folders.length > 0) return folders.map((name) => join(run, 'models', name));
  throw new InputError(
    `${run}: no model is kept in it; expected the folder of a finished run, runs/<name>/<run>, with report.keepModels`,
  );
}

/** The model's items by the codes of this log; items that it does not hold get codes that nothing in it has. */
function vocabularyOf({ itemIds }: OpenedModel, dataset: WindowedDataset): ItemVocabulary {
  let unheard = dataset.numRawItems;
  const vocabulary = ItemVocabulary.fromJSON({
    itemCodes: itemIds.map((id) => dataset.itemCode(id) ?? unheard++),
  });
  if (vocabulary.size !== itemIds.length + FIRST_ITEM_ID) throw new Error('two items of the model have the same id');
  return vocabulary;
}
