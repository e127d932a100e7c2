export { defineLoss, type Loss, type LossInputs, type LossSpec } from './loss-spec.ts';
export * as losses from './losses.ts';
