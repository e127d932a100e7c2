import type { RankMetricAtK } from '@nimue/metrics';
import { deriveSeed, UNRANKED } from '@nimue/ops';

/**
 * Where a target stands among the items that score as it does. `conservative`: behind them all, so that a constant model
 * scores nothing. `optimistic`: before them all, the flattering one. `mean`: the metric's mean over all those places
 * (McSherry & Najork 2008, "Computing information retrieval performance measures efficiently in the presence of tied
 * scores"), which is what `random`, one of the places by lot, gives on average.
 */
export const TIE_RULES = ['conservative', 'optimistic', 'mean', 'random'] as const;
export type TieRule = (typeof TIE_RULES)[number];

/** The first and the last place that a target can have among its ties [N]; `first` is absent where only one counts. */
export interface TargetPlaces {
  readonly last: Int32Array;
  readonly first?: Int32Array;
}

/** One place of each by lot, the same for the same seed, whatever the batches. */
export function drawPlaces({ last, first = last }: TargetPlaces, seed: number): Int32Array {
  return last.map((worst, n) => {
    const best = first[n];
    return worst === UNRANKED ? UNRANKED : best + Math.floor(((worst - best + 1) * deriveSeed(seed, n)) / 2 ** 32);
  });
}

/** Values of a metric [N]: at the places, or averaged over all places from the first to the last. */
export function metricValues(metric: RankMetricAtK, { last, first }: TargetPlaces): Float64Array {
  const values = metric.compute(last);
  if (!first) return values;
  const upTo = new Float64Array(metric.k + 1);
  const single = metric.compute(Int32Array.from({ length: metric.k }, (_, i) => i + 1));
  single.forEach((value, i) => {
    upTo[i + 1] = upTo[i] + value;
  });
  // A metric@k is 0 beyond place k.
  return values.map((value, n) =>
    first[n] === last[n]
      ? value
      : (upTo[Math.min(last[n], metric.k)] - upTo[Math.min(first[n] - 1, metric.k)]) / (last[n] - first[n] + 1),
  );
}
