import type { SessionBatch } from '@nimue/batch';
import { dropout, jaggedAttention, residualAdd, residualNorm } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { attendNewest } from './neural/attend-newest.ts';
import { blockOptions, checkWidths, itemOptions, scalingOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, dropoutsOf } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import { scaleRows } from './neural/prefixes.ts';
import { timeBuckets, timeBucketsOfNewest } from './neural/time-buckets.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const hstuSchema = checkWidths(
  z.strictObject({
    ...blockOptions,
    usePositions: z.boolean().default(true).describe('Adds a learned vector per position.'),
    relativeTime: z.boolean().default(true).describe('Bias by the time between two events; the data must have times.'),
    relativePosition: z.boolean().default(true).describe('Bias by the number of events between them.'),
    ...scalingOptions,
    numTimeBuckets: z.int().min(1).max(255).default(128).describe('Buckets of the logarithm of the time in seconds.'),
    ...itemOptions,
  }),
);

/** ε of the norms within blocks and of the last one, RecTools' and the original's. */
const EPSILON = 1e-6;
const FINAL_EPSILON = 1e-8;

/**
 * HSTU (Zhai et al. 2024, "Actions Speak Louder than Words", section 3.2, eqs. 1–3): blocks of pointwise causal attention,
 * U, V, Q, K = silu(norm(x) W), A = silu(Q Kᵀ + bias by position + bias by time) / maxLength, x + (norm(A V) ∘ U) W′ + b.
 * The division keeps sums apart by their length, which a softmax would not: intensity of interest stays visible.
 *
 * Differs from the original: the time of a query is its own, not that of the item that is to be predicted, which is not
 * known when one asks for it; biases are of each head, not shared by all; a layer norm with weights at the end, as in
 * RecTools, instead of lengths of 1; item vectors are scaled by √hiddenSize on the way in only with `scaleItems`.
 */
export const hstu = defineModel({
  kind: 'neural',
  configSchema: hstuSchema,
  create: (config, size) => createHSTU(config, size),
});

function createHSTU(config: z.infer<typeof hstuSchema>, { numRows, seed, features }: ModelSize): NeuralModel {
  const { hiddenSize, numBlocks, numHeads, maxLength, usePositions, relativeTime, relativePosition } = config;
  const layers = createLayers(new ParameterStore(seed), { epsilon: FINAL_EPSILON, layerStd: config.layerStd });
  const { parameters } = layers;
  const items = addItemVectors(layers, {
    ...config,
    numRows,
    features,
    ...(usePositions && { maxPositions: maxLength }),
  });
  const blocks = Array.from({ length: numBlocks }, (_, i) => `block${i + 1}`);
  const small = { kind: 'normal', standardDeviation: 0.02 } as const;
  for (const block of blocks) {
    for (const part of ['gate', 'value', 'query', 'key']) {
      layers.addLinear(`${block}.${part}`, hiddenSize, hiddenSize, { bias: false });
    }
    if (relativePosition) parameters.add(`${block}.positionBias`, [2 * maxLength - 1, numHeads], small);
    if (relativeTime) parameters.add(`${block}.timeBias`, [config.numTimeBuckets + 1, numHeads], small);
    layers.addLinear(`${block}.output`, hiddenSize, hiddenSize);
  }
  layers.addNorm('finalNorm', hiddenSize);

  /** The op divides by a session's own length; undone here, since that would depend on later clicks. */
  const overMaxLength = (value: Tensor2D, { offsets }: SessionBatch): Tensor2D => {
    const factors = new Float32Array(value.shape[0]);
    for (let b = 0; b + 1 < offsets.length; b++) {
      factors.fill((offsets[b + 1] - offsets[b]) / maxLength, offsets[b], offsets[b + 1]);
    }
    return scaleRows(value, factors);
  };

  return createNeuralModel({
    name: 'hstu',
    parameters,
    maxLength,
    remembersSessions: true,
    body(batch, mode) {
      const drop = dropoutsOf(mode);
      const { memory } = mode;
      const bucketsOf = () =>
        memory
          ? timeBucketsOfNewest('hstu', batch, config.numTimeBuckets, memory.numSeen)
          : timeBuckets('hstu', batch, config.numTimeBuckets);
      const kinds = relativeTime ? bucketsOf() : undefined;
      const ones = tf.ones([hiddenSize]) as Tensor1D;
      const norm = (x: Tensor2D) => residualNorm(x, ones, { epsilon: EPSILON });
      let x = items.project(items.embed(batch, drop(config.dropout), mode));
      for (const block of blocks) {
        const normed = norm(x);
        const part = (name: string) => layers.linear(`${block}.${name}`, normed, 'silu');
        const biases = {
          numHeads,
          kind: 'silu',
          pairBias: kinds && { table: parameters.matrix(`${block}.timeBias`), kinds },
          ...(relativePosition && { relativeBias: parameters.matrix(`${block}.positionBias`) }),
        } as const;
        const keep = (name: string) => memory?.append(`${block}.${name}`, part(name)) as Tensor2D;
        const mixed = memory
          ? attendNewest(part('query'), keep('key'), keep('value'), { ...biases, divisor: maxLength })
          : jaggedAttention(part('query'), part('key'), overMaxLength(part('value'), batch), batch.offsets, {
              ...biases,
              causal: true,
            });
        const gated: Tensor2D = tf.mul(part('gate'), norm(mixed));
        x = residualAdd(layers.linear(`${block}.output`, dropout(gated, drop(config.dropout))), x);
      }
      return layers.norm('finalNorm', x);
    },
    ...items,
  });
}
