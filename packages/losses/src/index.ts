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
export { sampledLoss, sampledSoftmaxLoss } from './sampled-loss.ts';
export { sumOf } from './weighted-sum.ts';
