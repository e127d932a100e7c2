import { type Comparison, comparePaired } from '@nimue/metrics';
import type { WindowResult } from './trainer-events.ts';

/**
 * From this many windows on models are compared window by window; with fewer, target by target. Windows are the more
 * careful unit: targets of one window share its events, and a test that takes them for independent sees more than is there.
 */
export const MIN_WINDOWS_TO_COMPARE = 10;

/** Two models on the same targets. */
export interface ModelComparison extends Comparison {
  readonly metric: string;
  readonly a: string;
  readonly b: string;
  /** What the pairs are: windows, or single targets; each averaged over the seeds. */
  readonly unit: 'window' | 'target';
}

/**
 * Every pair of models by one metric: paired t test and bootstrap, corrected for the number of pairs (Bonferroni).
 *
 * @param metric a metric of ranks; metrics of whole lists have one number per window
 * @returns a comparison for every pair that can be made: none when targets are the unit and their values were not kept
 * @throws when two models were evaluated on different windows or targets
 */
export function compareModels(results: readonly WindowResult[], metric: string): ModelComparison[] {
  const models = [...new Set(results.map((result) => result.model))].filter((model) =>
    results.some((result) => result.model === model && result.metrics[metric] !== undefined),
  );
  const windows = [...new Set(results.map((result) => result.evaluateWindow))];
  const unit = windows.length >= MIN_WINDOWS_TO_COMPARE ? 'window' : 'target';
  const valuesOf = new Map<string, Float64Array>();
  for (const model of models) {
    const own = results.filter((result) => result.model === model);
    if (unit === 'target' && own.some((result) => !result.targetValues?.[metric])) return [];
    valuesOf.set(model, concat(windows.map((window) => meanOverSeeds(own, window, metric, unit))));
  }
  const pairs = models.flatMap((a, i) => models.slice(i + 1).map((b) => [a, b] as const));
  return pairs.flatMap(([a, b]) => {
    const [first, second] = [a, b].map((model) => valuesOf.get(model) ?? new Float64Array());
    if (first.length !== second.length) {
      throw new Error(
        `compareModels: ${a} has ${first.length} ${unit}s and ${b} has ${second.length}; both must be evaluated on the same`,
      );
    }
    if (first.length < 2) return [];
    return [{ metric, a, b, unit, ...comparePaired(first, second, { numComparisons: pairs.length }) }];
  });
}

/** The models that `model` is better than, by comparisons that chance does not explain. */
export function betterThan(comparisons: readonly ModelComparison[], model: string): readonly string[] {
  return comparisons.flatMap(({ a, b, better }) => {
    if (better === 'a' && a === model) return [b];
    return better === 'b' && b === model ? [a] : [];
  });
}

function meanOverSeeds(
  results: readonly WindowResult[],
  window: string,
  metric: string,
  unit: 'window' | 'target',
): Float64Array {
  const rows = results
    .filter((result) => result.evaluateWindow === window)
    .map((result) =>
      unit === 'window'
        ? Float64Array.of(result.metrics[metric])
        : (result.targetValues?.[metric] ?? new Float64Array()),
    );
  if (rows.length === 0)
    throw new Error(`compareModels: a model has no result for window ${window}; the run is incomplete`);
  return rows[0].map((_, n) => rows.reduce((sum, row) => sum + row[n], 0) / rows.length);
}

function concat(parts: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
