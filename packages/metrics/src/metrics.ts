// One line per ranking metric; the export name is the name in an experiment file (`ndcg@20`).
export { hitRateAtK as hr } from './hit-rate.ts';
export { mrrAtK as mrr } from './mrr.ts';
export { ndcgAtK as ndcg } from './ndcg.ts';
