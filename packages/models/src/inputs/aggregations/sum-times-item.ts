import { residualAdd } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Aggregation } from '../aggregation.ts';

/** (Σ of the features) ∘ item, as in Transformers4Rec ("element-wise sum & item multiplication"). */
export const sumTimesItem: Aggregation = {
  needsEqualWidths: true,
  create:
    () =>
    ([item, ...features]) =>
      features.length === 0
        ? item
        : (tf.mul(
            features.reduce((joined, x) => residualAdd(x, joined)),
            item,
          ) as Tensor2D),
};
