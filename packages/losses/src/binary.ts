import type { Tensor1D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineLoss } from './loss-spec.ts';
import { headName, labelledMean, type TaskHead, taskHeadFields } from './task-head.ts';

/**
 * A head that says yes or no of the event that comes next, such as whether it is a purchase: binary cross-entropy of its
 * logit z with the label y, −y ln σ(z) − (1 − y) ln(1 − σ(z)), averaged over the targets that have a label.
 *
 * Multi-task learning with a shared body (Caruana 1997): one part of `weightedSum`, beside a loss that ranks items.
 */
export const binary = defineLoss({
  configSchema: z.strictObject({
    ...taskHeadFields,
    is: z
      .array(z.string())
      .min(1)
      .optional()
      .describe(
        'Values of a text column that mean yes; without them the column is read as numbers and must hold 0 and 1.',
      ),
  }),
  ranksItems: false,
  create(config) {
    const { column, is, hiddenSize } = config;
    const head: TaskHead = { name: headName(config), kind: 'binary', column, is, hiddenSize };
    return Object.assign(
      (inputs: Parameters<typeof labelledMean>[2]) =>
        // softplus(z) − y z
        labelledMean('binary', head, inputs, (z, y) => tf.sub(tf.softplus(z), tf.mul(y, z)) as Tensor1D),
      { heads: [head] },
    );
  },
});
