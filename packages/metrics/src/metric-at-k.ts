import * as listMetrics from './list-metrics.ts';
import type { ListContext, ListMetric, RecommendedLists } from './lists/recommended-lists.ts';
import * as metrics from './metrics.ts';

/** A metric with its cut-off, as an experiment file names it: of the targets' ranks, or of whole lists. */
export type MetricAtK = RankMetricAtK | ListMetricAtK;

export interface RankMetricAtK {
  readonly of: 'ranks';
  /** As written, `ndcg@20`. */
  readonly label: string;
  readonly k: number;
  /** Ranks [N] → values [N] in [0, 1]. */
  readonly compute: (ranks: ArrayLike<number>) => Float64Array;
}

export interface ListMetricAtK {
  readonly of: 'lists';
  /** As written, `coverage@20`. */
  readonly label: string;
  readonly k: number;
  readonly compute: (lists: RecommendedLists, context: ListContext) => number;
}

type RankMetric = (ranks: ArrayLike<number>, k: number) => Float64Array;

/** The names before the `@`. */
export const METRIC_NAMES: readonly string[] = [...Object.keys(metrics), ...Object.keys(listMetrics)].sort();

/**
 * Reads `ndcg@20`.
 *
 * @throws when the metric is unknown or k is not a whole number ≥ 1
 */
export function parseMetricAtK(label: string): MetricAtK {
  const match = /^([a-zA-Z]+)@(\d+)$/.exec(label);
  const name = match?.[1] ?? '';
  const k = match ? Number(match[2]) : 0;
  if (k >= 1 && Object.hasOwn(metrics, name)) {
    const metric: RankMetric = metrics[name as keyof typeof metrics];
    return { of: 'ranks', label, k, compute: (ranks) => metric(ranks, k) };
  }
  if (k >= 1 && Object.hasOwn(listMetrics, name)) {
    const metric: ListMetric = listMetrics[name as keyof typeof listMetrics];
    return { of: 'lists', label, k, compute: (lists, context) => metric(lists, k, context) };
  }
  throw new Error(
    `metric '${label}': expected <name>@<k> such as ndcg@20, with name one of ${METRIC_NAMES.join(', ')}`,
  );
}
