import { dropout } from '@nimue/ops';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { addGruLayers } from './neural/gru-layers.ts';
import { checkWidths, itemOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const gru4recSchema = checkWidths(
  z.strictObject({
    hiddenSize: z.int().min(1).default(64).describe('Width of the hidden states.'),
    numLayers: z.int().min(1).max(8).default(1).describe('Recurrent layers, one over the other.'),
    inputDropout: z.number().min(0).lt(1).default(0.25).describe('Drops item vectors on their way in.'),
    hiddenDropout: z
      .number()
      .min(0)
      .lt(1)
      .default(0.1)
      .describe('Drops hidden states on their way out of every layer.'),
    ...itemOptions,
    itemBias: z.boolean().default(true).describe('Adds a learned number per item to its score.'),
  }),
);

/**
 * GRU4Rec (Hidasi et al. 2016, "Session-based Recommendations with Recurrent Neural Networks"; constrained embedding:
 * Hidasi & Karatzoglou 2018): the hidden state after every click, from gated recurrent units over the item vectors, is
 * compared with every item's vector, plus an item bias. `embedding: tied` is "constrained" in the original.
 *
 * It is trained on whole sessions, packed and unrolled, or with `training.sessionParallel` as in the paper: click by click,
 * the state carried from step to step and the gradient cut off between them. What a position sees is the same.
 *
 * Differs from the paper: scores leave the model as they are, since a tanh would bound what a softmax compares; the pairwise losses
 * have the authors' `final_act` (`tanh`, `elu`).
 *
 * Differs from the authors' code: item vectors start from `initStd`, where theirs lie within √(6 / (items + width)), a deviation of
 * √(2 / (items + width)), which is far less where there are many items: with Adagrad, whose small steps keep what the start was,
 * give that as `initStd`. The state that is carried on, from click to click and from step to step, is the one before dropout, so that
 * packed and session-parallel training see the same; one-hot items are not fed to the units without an item table, which says the
 * same with three times the weights.
 */
export const gru4rec = defineModel({
  kind: 'neural',
  configSchema: gru4recSchema,
  create: (config, size) => createGRU4Rec(config, size),
});

function createGRU4Rec(config: z.infer<typeof gru4recSchema>, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, numLayers, inputDropout, hiddenDropout } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: 0 });
  const items = addItemVectors(layers, { ...config, numRows, features, takesItemSize: true });
  const gru = addGruLayers(layers.parameters, { inputSize: items.width, hiddenSize, numLayers });
  return createNeuralModel({
    name: 'gru4rec',
    carriesState: !items.inputs?.needsSession,
    remembersSessions: true,
    parameters: layers.parameters,
    body(batch, mode) {
      const drop = dropoutsOf(mode);
      const x = items.embed(batch, drop(inputDropout), mode);
      if (mode.memory) return gru.applyToNewest(x, mode.memory);
      return gru.apply(x, batch.offsets, (states) => dropout(states, drop(hiddenDropout)), mode.carried);
    },
    ...items,
  });
}
