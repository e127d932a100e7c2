// One line per loss; the export name is the loss's name in an experiment file.
export { bce } from './bce.ts';
export { binary } from './binary.ts';
export { bpr } from './bpr.ts';
export { bprMax } from './bpr-max.ts';
export { crossEntropy } from './cross-entropy.ts';
export { gbce } from './gbce.ts';
export { inBatchSoftmax } from './in-batch-softmax.ts';
export { regression } from './regression.ts';
export { sampledSoftmax } from './sampled-softmax.ts';
export { top1 } from './top1.ts';
export { top1Max } from './top1-max.ts';
export { weightedSum } from './weighted-sum.ts';
