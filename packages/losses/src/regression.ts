import type { Tensor1D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineLoss } from './loss-spec.ts';
import { headName, labelledMean, type TaskHead, taskHeadFields } from './task-head.ts';

/**
 * A head that says a number of the event that comes next, such as its price: (z − y)², averaged over the targets that have
 * a label, y being the column (or ln(1 + column)) less its mean and divided by its standard deviation in the first train
 * windows, so that 1 is the loss of the mean. With `log` the head is named `log_<column>` and its figures are in that unit.
 *
 * Multi-task learning with a shared body (Caruana 1997): one part of `weightedSum`, beside a loss that ranks items.
 */
export const regression = defineLoss({
  configSchema: z.strictObject({
    ...taskHeadFields,
    log: z.boolean().default(false).describe('Learns ln(1 + x) of a column x ≥ 0, such as prices.'),
  }),
  ranksItems: false,
  create(config) {
    const { column, log, hiddenSize } = config;
    const head: TaskHead = {
      name: config.as ?? (log ? `log_${headName(config)}` : headName(config)),
      kind: 'regression',
      column,
      log,
      hiddenSize,
    };
    return Object.assign(
      (inputs: Parameters<typeof labelledMean>[2]) =>
        labelledMean('regression', head, inputs, (z, y) => tf.squaredDifference(z, y) as Tensor1D),
      { heads: [head] },
    );
  },
});
