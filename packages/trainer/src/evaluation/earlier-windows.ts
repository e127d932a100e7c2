import type { RunRollingArgs } from '../run-rolling.ts';
import type { WindowResult } from '../trainer-events.ts';
import type { Evaluation } from './evaluate.ts';

/** How a model does now on a window that it has learned. */
export interface EarlierResult {
  readonly window: string;
  /** The metrics of the evaluation on the same part of that window, which was trained on: no figure of generalization. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly numTargets: number;
  /**
   * Metric → what was lost since: its value right after that window was learned, minus its value now (Lopez-Paz & Ranzato 2017,
   * "Gradient Episodic Memory", eq. 4, with the sign turned). 0 for the window learned last.
   */
  readonly forgotten: Readonly<Record<string, number>>;
}

/**
 * Evaluates the model on the windows that it has learned, as many as `evaluation.earlierWindows` says, newest last.
 *
 * @param learned windows that the model was trained on, oldest first
 * @param before results of the steps before
 */
export async function earlierResults(
  { dataset, evaluation }: Pick<RunRollingArgs, 'dataset' | 'evaluation'>,
  learned: readonly number[],
  before: readonly WindowResult[],
  evaluate: (window: number) => Promise<Evaluation>,
): Promise<EarlierResult[]> {
  const { earlierWindows } = evaluation;
  if (earlierWindows === undefined) return [];
  const windows = earlierWindows === 'all' ? learned : learned.slice(-earlierWindows);
  const found: EarlierResult[] = [];
  for (const window of windows) {
    const { id } = dataset.windows[window];
    const { metrics, ranks } = await evaluate(window);
    const first = before.flatMap(({ earlier = [] }) => earlier).find((one) => one.window === id)?.metrics ?? metrics;
    const forgotten = Object.fromEntries(Object.entries(metrics).map(([label, now]) => [label, first[label] - now]));
    found.push({ window: id, metrics, numTargets: ranks.length, forgotten });
  }
  return found;
}

/** What is forgotten by the number of windows that were learned since. */
export interface Forgetting {
  readonly model: string;
  /** 1: one window was learned since. */
  readonly numWindowsSince: number;
  /** Metric → mean of what was lost, over windows and seeds. */
  readonly forgotten: Readonly<Record<string, number>>;
  readonly numMeasured: number;
}

/** Rows by model, then by age. */
export function summarizeForgetting(results: readonly WindowResult[]): Forgetting[] {
  const sums = new Map<string, { model: string; numWindowsSince: number; lost: Record<string, number>[] }>();
  for (const { model, earlier = [] } of results) {
    for (const [place, { forgotten }] of earlier.entries()) {
      const numWindowsSince = earlier.length - 1 - place;
      if (numWindowsSince === 0) continue;
      const key = JSON.stringify([model, numWindowsSince]);
      const row = sums.get(key) ?? { model, numWindowsSince, lost: [] };
      row.lost.push(forgotten);
      sums.set(key, row);
    }
  }
  return [...sums.values()]
    .sort((a, b) => (a.model === b.model ? a.numWindowsSince - b.numWindowsSince : 0))
    .map(({ model, numWindowsSince, lost }) => ({
      model,
      numWindowsSince,
      forgotten: Object.fromEntries(
        Object.keys(lost[0]).map((label) => [
          label,
          lost.reduce((sum, forgotten) => sum + forgotten[label], 0) / lost.length,
        ]),
      ),
      numMeasured: lost.length,
    }));
}
