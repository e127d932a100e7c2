import { type Summary, summarize } from '@nimue/metrics';
import type { WindowResult } from './trainer-events.ts';

/** One row of the final table. */
export interface ModelSummary {
  readonly model: string;
  /** Metric label → mean and standard error over windows, each window averaged over its seeds first. */
  readonly metrics: Readonly<Record<string, Summary>>;
  readonly numWindows: number;
  readonly numSeeds: number;
  /** Sums over windows and seeds. */
  readonly numTargets: number;
  readonly numUnknownTargets: number;
  readonly trainSeconds: number;
  readonly evaluateSeconds: number;
}

/** Rows in order of first appearance. @throws when a model's seeds were evaluated on different windows */
export function summarizeResults(results: readonly WindowResult[]): ModelSummary[] {
  const models = [...new Set(results.map((result) => result.model))];
  return models.map((model) => {
    const own = results.filter((result) => result.model === model);
    const windows = [...new Set(own.map((result) => result.evaluateWindow))];
    const seeds = [...new Set(own.map((result) => result.seed))];
    if (own.length !== windows.length * seeds.length) {
      throw new Error(
        `summarizeResults: ${model} has ${own.length} results for ${windows.length} windows and ${seeds.length} seeds; the run is incomplete`,
      );
    }
    const labels = Object.keys(own[0].metrics);
    const metrics = Object.fromEntries(
      labels.map((label) => {
        const perWindow = windows.map((window) => {
          const values = own
            .filter((result) => result.evaluateWindow === window)
            .map((result) => result.metrics[label]);
          return values.reduce((sum, value) => sum + value, 0) / values.length;
        });
        return [label, summarize(perWindow)];
      }),
    );
    const total = (pick: (result: WindowResult) => number) => own.reduce((sum, result) => sum + pick(result), 0);
    return {
      model,
      metrics,
      numWindows: windows.length,
      numSeeds: seeds.length,
      numTargets: total((result) => result.numTargets),
      numUnknownTargets: total((result) => result.numUnknownTargets),
      trainSeconds: total((result) => result.trainSeconds),
      evaluateSeconds: total((result) => result.evaluateSeconds),
    };
  });
}
