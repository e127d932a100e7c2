import * as metrics from './metrics.ts';

/** A metric with its cut-off, as an experiment file names it. */
export interface MetricAtK {
  /** As written, `ndcg@20`. */
  readonly label: string;
  readonly k: number;
  /** Ranks [N] → values [N] in [0, 1]. */
  readonly compute: (ranks: ArrayLike<number>) => Float64Array;
}

/** The names before the `@`. */
export const METRIC_NAMES: readonly string[] = Object.keys(metrics).sort();

/**
 * Reads `ndcg@20`.
 *
 * @throws when the metric is unknown or k is not a whole number ≥ 1
 */
export function parseMetricAtK(label: string): MetricAtK {
  const match = /^([a-zA-Z]+)@(\d+)$/.exec(label);
  const compute = match && (metrics as Record<string, (ranks: ArrayLike<number>, k: number) => Float64Array>)[match[1]];
  const k = match ? Number(match[2]) : 0;
  if (!compute || k < 1) {
    throw new Error(
      `metric '${label}': expected <name>@<k> such as ndcg@20, with name one of ${METRIC_NAMES.join(', ')}`,
    );
  }
  return { label, k, compute: (ranks) => compute(ranks, k) };
}
