import { dropout } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { attend } from './neural/attend.ts';
import { blockOptions, checkWidths, itemOptions, positionOptions, scalingOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, type DropoutStream, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const esasrecSchema = checkWidths(
  z.strictObject({
    ...blockOptions,
    feedForwardSize: z
      .int()
      .min(1)
      .optional()
      .describe('Inner width of the SwiGLU layer; 4 · hiddenSize when not given.'),
    ...positionOptions,
    ...scalingOptions,
    ...itemOptions,
  }),
);

/** ε of every layer norm, RecTools'. */
const EPSILON = 1e-5;

/**
 * eSASRec (Tikhonovich et al. 2025, "eSASRec: Enhancing Transformer-based Recommendations in a Modular Fashion"): SASRec's
 * causal targets on LiGR blocks (Borisyuk et al. 2025, "From Features to Transformers", section 3): pre-norm attention and
 * SwiGLU layers whose result passes a gate made of the block's input, x + σ(x W + b) ∘ a(norm(x)), then
 * x + σ(x W′ + b′) ∘ f(norm(x)) with f(y) = (silu(y W₁) ∘ y W₂) W₃. The paper trains it with a sampled softmax.
 *
 * Differs from RecTools: positions are counted from the oldest visible event unless `positionsFrom: newest` (see `sasrec`). As there, no norm at the end.
 */
export const esasrec = defineModel({
  kind: 'neural',
  configSchema: esasrecSchema,
  create: (config, size) => createESASRec(config, size),
});

function createESASRec(config: z.infer<typeof esasrecSchema>, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, numBlocks, numHeads, maxLength, usePositions, positionsFrom } = config;
  const feedForwardSize = config.feedForwardSize ?? 4 * hiddenSize;
  const layers = createLayers(new ParameterStore(seed), { epsilon: EPSILON, layerStd: config.layerStd });
  const items = addItemVectors(layers, {
    ...config,
    numRows,
    features,
    ...(usePositions && { maxPositions: maxLength }),
  });
  const blocks = Array.from({ length: numBlocks }, (_, i) => `block${i + 1}`);
  for (const block of blocks) {
    layers.addNorm(`${block}.attentionNorm`, hiddenSize);
    for (const part of ['query', 'key', 'value', 'output'])
      layers.addLinear(`${block}.${part}`, hiddenSize, hiddenSize);
    layers.addLinear(`${block}.attentionGate`, hiddenSize, hiddenSize);
    layers.addNorm(`${block}.feedForwardNorm`, hiddenSize);
    layers.addLinear(`${block}.expand`, hiddenSize, feedForwardSize, { bias: false });
    layers.addLinear(`${block}.expandGate`, hiddenSize, feedForwardSize, { bias: false });
    layers.addLinear(`${block}.contract`, feedForwardSize, hiddenSize, { bias: false });
    layers.addLinear(`${block}.feedForwardGate`, hiddenSize, hiddenSize);
  }
  const gatedAdd = (gate: string, x: Tensor2D, addend: Tensor2D, drop: DropoutStream): Tensor2D =>
    tf.add(x, tf.mul(layers.linear(gate, x, 'sigmoid'), dropout(addend, drop(config.dropout))));

  return createNeuralModel({
    name: 'esasrec',
    ...(positionsFrom === 'newest' ? { countsFromNewest: true } : { remembersSessions: true }),
    parameters: layers.parameters,
    maxLength,
    body(batch, mode) {
      const drop = dropoutsOf(mode);
      const { memory } = mode;
      let x = items.project(items.embed(batch, drop(config.dropout), mode));
      for (const block of blocks) {
        const normed = layers.norm(`${block}.attentionNorm`, x);
        const [query, key, value] = ['query', 'key', 'value'].map((part) => layers.linear(`${block}.${part}`, normed));
        const options = { numHeads, causal: true, dropout: drop(config.dropout) };
        const mixed = attend(query, key, value, batch.offsets, options, memory && { memory, layer: block });
        x = gatedAdd(`${block}.attentionGate`, x, layers.linear(`${block}.output`, mixed), drop);
        const y = layers.norm(`${block}.feedForwardNorm`, x);
        const inner: Tensor2D = tf.mul(
          layers.linear(`${block}.expandGate`, y, 'silu'),
          layers.linear(`${block}.expand`, y),
        );
        const fed = layers.linear(`${block}.contract`, dropout(inner, drop(config.dropout)));
        x = gatedAdd(`${block}.feedForwardGate`, x, fed, drop);
      }
      return x;
    },
    ...items,
  });
}
