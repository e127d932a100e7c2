export type { ItemHistory } from './item-history.ts';
export { defineLoss, type Loss, type LossInputs, type LossSpec } from './loss-spec.ts';
export * as losses from './losses.ts';
export {
  type DrawnNegatives,
  defineNegatives,
  logQOf,
  type NegativeSampler,
  type NegativeSamplerSpec,
  type NegativesRequest,
} from './negatives/negative-sampler.ts';
export * as negativeSamplers from './negatives/negative-samplers.ts';
export { createSampler, type NegativesConfig, negativesSchema } from './negatives/negatives-schema.ts';
export { type ReplacedTokenInputs, replacedTokenLoss } from './replaced-token.ts';
export { sampledLoss, sampledSoftmaxLoss } from './sampled-loss.ts';
export type { TaskHead } from './task-head.ts';
export { sumOf } from './weighted-sum.ts';
