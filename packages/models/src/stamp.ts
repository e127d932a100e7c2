import { gatherRows, scatterRows } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { checkWidths, itemOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import { prefixesOf, scaleRows, weightedSums } from './neural/prefixes.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const stampSchema = checkWidths(
  z.strictObject({
    hiddenSize: z.int().min(1).default(64).describe('Width of item vectors and hidden states.'),
    inputDropout: z.number().min(0).lt(1).default(0).describe('Drops item vectors on their way in.'),
    maxLength: z
      .int()
      .min(1)
      .optional()
      .describe(
        'The newest events of a session that the model sees; unlimited when not given. Work grows with its square.',
      ),
    ...itemOptions,
  }),
);

/**
 * STAMP (Liu et al. 2018, "STAMP: Short-Term Attention/Memory Priority Model for Session-based Recommendation", eqs. 3–10):
 * with xₜ the newest item, x̄ the mean of all and αᵢ = w₀ · σ(W₁ xᵢ + W₂ xₜ + W₃ x̄ + b), scores are
 * E (tanh(Wₛ Σᵢ αᵢ xᵢ + bₛ) ∘ tanh(Wₜ xₜ + bₜ)). It knows no order but which item is the newest.
 *
 * Differs from the paper: no sigmoid around the scores before the softmax, which would keep it nearly flat (RecBole leaves
 * it out, too).
 */
export const stamp = defineModel({
  kind: 'neural',
  configSchema: stampSchema,
  create: (config, size) => createStamp(config, size),
});

function createStamp(config: z.infer<typeof stampSchema>, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, maxLength } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: 0 });
  const items = addItemVectors(layers, { ...config, numRows, features });
  layers.addLinear('each', hiddenSize, hiddenSize);
  layers.addLinear('newest', hiddenSize, hiddenSize, { bias: false });
  layers.addLinear('mean', hiddenSize, hiddenSize, { bias: false });
  layers.addLinear('attention', hiddenSize, 1, { bias: false });
  layers.addLinear('general', hiddenSize, hiddenSize);
  layers.addLinear('current', hiddenSize, hiddenSize);

  return createNeuralModel({
    name: 'stamp',
    parameters: layers.parameters,
    maxLength,
    bodyAt(batch, positions, mode) {
      const drop = dropoutsOf(mode);
      const x = items.project(items.embed(batch, drop(config.inputDropout), mode));
      const prefixes = prefixesOf(batch.offsets, positions);
      const { members, owners, offsets } = prefixes;
      const sums = scatterRows(gatherRows(x, members), owners, positions.length);
      const mean = scaleRows(
        sums,
        Array.from(positions, (_, n) => 1 / (offsets[n + 1] - offsets[n])),
      );
      const newest = gatherRows(x, positions);
      const asked: Tensor2D = tf.add(layers.linear('newest', newest), layers.linear('mean', mean));
      const each = gatherRows(layers.linear('each', x), members);
      const weights = layers.linear('attention', tf.sigmoid(tf.add(each, gatherRows(asked, owners))) as Tensor2D);
      const general = weightedSums(weights, x, members, prefixes);
      return tf.mul(layers.linear('general', general, 'tanh'), layers.linear('current', newest, 'tanh'));
    },
    ...items,
  });
}
