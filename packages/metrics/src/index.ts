export { hitRateAtK } from './hit-rate.ts';
export { coverageAtK } from './lists/coverage.ts';
export { categoryDistance, cosineDistance, diversityAtK, intraListDiversityAtK } from './lists/diversity.ts';
export { entropyAtK } from './lists/entropy.ts';
export { giniAtK } from './lists/gini.ts';
export { noveltyAtK } from './lists/novelty.ts';
export { overlapAtK } from './lists/overlap.ts';
export { meanPopularityAtK, popularityLiftAtK } from './lists/popularity.ts';
export type { ItemDistance, ListContext, RecommendedLists } from './lists/recommended-lists.ts';
export { serendipityAtK } from './lists/serendipity.ts';
export { averagePrecisionAtK, averagePrecisionOfTargetsAtK } from './map.ts';
export {
  type ListMetricAtK,
  METRIC_NAMES,
  type MetricAtK,
  parseMetricAtK,
  type RankMetricAtK,
} from './metric-at-k.ts';
export { mrrAtK, mrrOfTargetsAtK } from './mrr.ts';
export { ndcgAtK, ndcgOfTargetsAtK } from './ndcg.ts';
export { type Comparison, comparePaired } from './paired-comparison.ts';
export { precisionAtK, precisionOfTargetsAtK } from './precision.ts';
export { type PredictionMetric, predictionMetrics } from './prediction-metrics.ts';
export { accuracy, shareOfYes } from './predictions/accuracy.ts';
export { areaUnderCurve } from './predictions/auc.ts';
export { meanAbsoluteError, rootMeanSquaredError, standardDeviation } from './predictions/errors-of-numbers.ts';
export { logLoss } from './predictions/log-loss.ts';
export { rankBiasedPrecisionAtK } from './rbp.ts';
export { recallOfTargetsAtK } from './recall.ts';
export { type Summary, summarize } from './summarize.ts';
export type { TargetRanks } from './target-ranks.ts';
