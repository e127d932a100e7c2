/** Every feature by its name in an experiment file. */
export { bucketise } from './features/bucketise.ts';
export { categorify } from './features/categorify.ts';
export { cyclicTime } from './features/cyclic-time.ts';
export { elapsed } from './features/elapsed.ts';
export { itemRecency } from './features/item-recency.ts';
export { log } from './features/log.ts';
export { minMax } from './features/min-max.ts';
export { popularitySoFar } from './features/popularity-so-far.ts';
export { pretrainedVectors } from './features/pretrained-vectors.ts';
export { relativePrice } from './features/relative-price.ts';
export { standardise } from './features/standardise.ts';
export { targetStatistic } from './features/target-statistic.ts';
