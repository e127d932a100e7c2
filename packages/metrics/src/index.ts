export { hitRateAtK } from './hit-rate.ts';
export { METRIC_NAMES, type MetricAtK, parseMetricAtK } from './metric-at-k.ts';
export { mrrAtK } from './mrr.ts';
export { ndcgAtK } from './ndcg.ts';
export { type Summary, summarize } from './summarize.ts';
