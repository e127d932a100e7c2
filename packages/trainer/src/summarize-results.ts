import { type Summary, summarize } from '@nimue/metrics';
import type { SliceResult } from './evaluation/evaluate.ts';
import * as slices from './evaluation/slices.ts';
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
  readonly numExcludedTargets: number;
  /** Parts of the targets in the order of their tables; metrics are means over all targets of a part. */
  readonly slices: readonly SliceResult[];
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
      numExcludedTargets: total((result) => result.numExcludedTargets),
      slices: sumSlices(own),
      trainSeconds: total((result) => result.trainSeconds),
      evaluateSeconds: total((result) => result.evaluateSeconds),
    };
  });
}

/** Windows and seeds together: every target counts once per seed. */
function sumSlices(results: readonly WindowResult[]): SliceResult[] {
  const found = results.flatMap((result) => result.slices ?? []);
  return Object.entries(slices).flatMap(([slice, { parts }]) =>
    parts.flatMap((part) => {
      const own = found.filter((row) => row.slice === slice && row.part === part);
      if (own.length === 0) return [];
      const numTargets = own.reduce((sum, row) => sum + row.numTargets, 0);
      const metrics = Object.fromEntries(
        Object.keys(own[0].metrics).map((label) => [
          label,
          own.reduce((sum, row) => sum + row.metrics[label] * row.numTargets, 0) / numTargets,
        ]),
      );
      return [{ slice, part, numTargets, metrics }];
    }),
  );
}
