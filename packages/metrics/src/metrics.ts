// One line per ranking metric; the export name is the name in an experiment file (`ndcg@20`).
export { hitRateAtK as hr, hitRateAtK as recall } from './hit-rate.ts';
export { averagePrecisionAtK as map } from './map.ts';
export { mrrAtK as mrr } from './mrr.ts';
export { ndcgAtK as ndcg } from './ndcg.ts';
export { precisionAtK as precision } from './precision.ts';
export { rankBiasedPrecisionAtK as rbp } from './rbp.ts';
