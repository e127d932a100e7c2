import { deriveSeed, gatherRows, softmaxHead } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineLoss, type LossInputs } from './loss-spec.ts';
import { type RecentItemsConfig, recentItems, recentItemsSchema } from './recent-items.ts';

export const crossEntropySchema = z.strictObject({
  temperature: z.number().positive().default(1).describe('Logits are divided by it.'),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("Share of the target's mass that is spread over all items (Szegedy et al. 2016, §7)."),
  among: recentItemsSchema
    .optional()
    .describe(
      'Softmax over a part of the items instead of all, where most of a catalogue is no longer asked for: a step costs what that part costs.',
    ),
});

/** Keeps the draw of items apart from the step's dropouts. */
const SEED_AMONG = 0x616d6f;

/**
 * Cross-entropy of the next item over the whole catalogue: −log softmax(hidden · tableᵀ / τ)[target], averaged over the
 * targets, each by its weight where they have some. Reserved ids are no items and take no part in the softmax. A position that is already perfect counts in the
 * mean like any other.
 *
 * With `among` the softmax, and what label smoothing spreads, is over the items of the newest train windows, the targets and some of the
 * others. What is recommended and ranked is the whole catalogue all the same: an item that is left out stays where it was pushed, and is
 * pushed again when it is drawn.
 *
 * @throws with `among`, when seed or ages are missing
 */
export const crossEntropy = defineLoss({
  configSchema: crossEntropySchema,
  create:
    ({ temperature, labelSmoothing, among }) =>
    (inputs) => {
      const { hidden, itemTable, itemBias, targetIds } = among ? partOf(inputs, among) : inputs;
      const weights = inputs.batch?.targets.weights;
      return softmaxHead(hidden, itemTable, targetIds, { bias: itemBias, temperature, labelSmoothing, weights });
    },
});

/** The same with the rows of a part of the items for a table. */
function partOf(inputs: LossInputs, among: RecentItemsConfig): LossInputs {
  const { itemTable, itemBias, seed, itemHistory, targetIds } = inputs;
  if (seed === undefined) throw new Error('crossEntropy: the seed is missing; `among` needs one per step');
  const { rows, targets } = recentItems(
    {
      itemAges: itemHistory?.ages,
      numTableRows: itemTable.shape[0],
      seed: deriveSeed(seed, SEED_AMONG),
      targetIds,
    },
    among,
  );
  return {
    ...inputs,
    itemTable: gatherRows(itemTable, rows),
    itemBias: itemBias && biasOf(itemBias, rows),
    targetIds: targets,
  };
}

function biasOf(itemBias: Tensor1D, rows: Int32Array): Tensor1D {
  const column: Tensor2D = tf.reshape(itemBias, [-1, 1]);
  return tf.reshape(gatherRows(column, rows), [-1]);
}
