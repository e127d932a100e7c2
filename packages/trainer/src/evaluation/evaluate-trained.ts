import { encodeSessions, type WindowedDataset } from '@nimue/data';
import { MIN_WINDOWS_TO_COMPARE } from '../compare-models.ts';
import type { WindowResult } from '../trainer-events.ts';
import { type EvaluateWindowArgs, WindowEvaluator } from './evaluate-window.ts';
import type { EvaluationConfig } from './evaluation-schema.ts';

export interface EvaluateTrainedArgs extends Omit<EvaluateWindowArgs, 'window'> {
  /** Names the rows of the result. */
  readonly label: string;
  readonly seed: number;
  readonly dataset: WindowedDataset;
  readonly evaluation: EvaluationConfig;
  readonly timeZone?: string;
  /**
   * Windows of the data set that the model has learned from, step by step: what slices and metrics of lists know of items
   * and users. Windows that the data set does not hold are left out.
   */
  readonly learned: readonly (readonly number[])[];
  /** Windows to be evaluated, each later than all that was learned: the caller sees to that. */
  readonly evaluateWindows: readonly number[];
}

/**
 * Evaluates a model that is trained already on one or several windows, exactly as a run evaluates it after its last train
 * window.
 *
 * @returns a result per window; `trainSeconds` is 0
 * @throws when a window has nothing to ask for
 */
export async function evaluateTrained(args: EvaluateTrainedArgs): Promise<WindowResult[]> {
  const { dataset, learned, evaluateWindows, label, seed, vocabulary, pipeline } = args;
  const evaluator = new WindowEvaluator(dataset, args.evaluation, args.timeZone);
  for (const windows of learned) {
    const train = {
      async *encodedWindows() {
        for (const window of windows) {
          const part = await dataset.read(window, 'train');
          yield encodeSessions(part, vocabulary, { unknown: 'skip', features: pipeline?.transform(part, dataset) });
        }
      },
    };
    await evaluator.addStep(train, windows, vocabulary);
  }
  const results: WindowResult[] = [];
  for (const [windowIndex, window] of evaluateWindows.entries()) {
    const started = performance.now();
    const evaluated = await evaluator.evaluate({ ...args, window });
    results.push({
      model: label,
      seed,
      windowIndex,
      numWindows: evaluateWindows.length,
      trainWindows: learned.flat().map((trained) => dataset.windows[trained].id),
      evaluateWindow: dataset.windows[window].id,
      metrics: evaluated.metrics,
      numTargets: evaluated.ranks.length,
      numUnknownTargets: evaluated.numUnknownTargets,
      numExcludedTargets: evaluated.numExcludedTargets,
      ...(evaluated.slices.length > 0 && { slices: evaluated.slices }),
      ...(evaluateWindows.length < MIN_WINDOWS_TO_COMPARE && { targetValues: evaluated.values }),
      numItems: vocabulary.numItems,
      numRankedItems: evaluated.numRankedItems,
      numTrainEvents: 0,
      trainSeconds: 0,
      evaluateSeconds: (performance.now() - started) / 1000,
    });
  }
  return results;
}
