import { product, residualAdd } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { softmaxRows } from '../../neural/softmax-rows.ts';
import type { Aggregation } from '../aggregation.ts';

/**
 * The inputs one above the other, weighed by attention: Σ α_f x_f with α = softmax over f of (x_f w + b_f) (Zhang et al.
 * 2019, "Feature-level Deeper Self-Attention Network", eqs. 3 and 4, with the item among the inputs).
 */
export const stack: Aggregation = {
  needsEqualWidths: true,
  create(layers, [width, ...others]) {
    const numInputs = 1 + others.length;
    layers.addLinear('inputs.attention', width, 1, { bias: false });
    layers.parameters.add('inputs.attention.bias', [1, numInputs], { kind: 'zeros' });
    return (inputs) => {
      const numRows = inputs[0].shape[0];
      const biases = product(tf.ones([numRows, 1]), layers.parameters.matrix('inputs.attention.bias'));
      const scores = inputs
        .map((x, f) => product(layers.linear('inputs.attention', x), oneRow(f, numInputs)))
        .reduce((joined, part) => residualAdd(part, joined), biases);
      const weights = softmaxRows(scores);
      return inputs
        .map((x, f) => tf.mul(product(weights, rowOfOnes(f, numInputs, width)), x) as Tensor2D)
        .reduce((joined, part) => residualAdd(part, joined));
    };
  },
};

/** [1, F] with a 1 at f. */
function oneRow(f: number, numInputs: number): Tensor2D {
  return tf.tensor2d(
    Float32Array.from({ length: numInputs }, (_, i) => (i === f ? 1 : 0)),
    [1, numInputs],
  );
}

/** [F, D] with ones in row f: copies a column D times. */
function rowOfOnes(f: number, numInputs: number, width: number): Tensor2D {
  const values = new Float32Array(numInputs * width).fill(1, f * width, (f + 1) * width);
  return tf.tensor2d(values, [numInputs, width]);
}
