import { z } from 'zod';
import { defineModel, type ModelSize } from './model-spec.ts';
import { blockOptions, checkWidths, itemOptions, positionOptions, scalingOptions } from './neural/item-options.ts';
import { addItemVectors } from './neural/item-vectors.ts';
import { createLayers, dropoutsOf, type Layers } from './neural/layers.ts';
import { createNeuralModel } from './neural/neural-model.ts';
import { addTransformer, NORMS } from './neural/transformer.ts';
import type { NeuralModel } from './next-item-model.ts';
import { ParameterStore } from './parameter-store.ts';

export const sasrecSchema = checkWidths(
  z.strictObject({
    ...blockOptions,
    feedForwardSize: z
      .int()
      .min(1)
      .optional()
      .describe("Width of the point-wise feed-forward layer; the paper's is hiddenSize."),
    norm: z
      .enum(NORMS)
      .default('pre')
      .describe(
        "`pre`: x + g(norm(x)), the paper's; `post`: norm(x + g(x)); `query`: as the paper's code, RecTools and the widely used PyTorch port had it until 2025, where only the query is normalised before attention and the normalised state is what a layer adds to; `postFinal`: `post` and a norm at the end, the port's default since (its `norm_first` is `pre`).",
      ),
    ...positionOptions,
    ...scalingOptions,
    ...itemOptions,
  }),
);

/** ε of every layer norm, the paper's code's value. */
const EPSILON = 1e-8;

/**
 * SASRec (Kang & McAuley 2018, "Self-Attentive Sequential Recommendation", eqs. 1–6): blocks of causal self-attention and
 * point-wise feed-forward layers over item and position vectors; the state after every event is compared with every
 * item's vector.
 *
 * In RecTools' words: `n_heads` is numHeads, `n_blocks` numBlocks, `session_max_len` maxLength, `use_pos_emb`
 * usePositions, `dropout_rate` dropout, and key masking (`use_key_padding_mask`) is always on, because there is no padding to
 * attend to. For gSASRec see `gsasrec`.
 *
 * Differs from the paper: positions are counted from the oldest visible event, not from the newest, unless
 * `positionsFrom: newest` says so — counted from the end, a later click changes earlier states, and training tells every position
 * how many events follow; projections have biases and the heads are mixed by an output projection, as in the widely used PyTorch port; the item
 * vectors are scaled by √D on the way in only with `scaleItems` (their starting deviation is configurable instead).
 */
export const sasrec = defineModel({
  kind: 'neural',
  configSchema: sasrecSchema,
  create: (config, size) => createSASRec(config, size),
});

function createSASRec(config: z.infer<typeof sasrecSchema>, size: ModelSize): NeuralModel {
  const layers = createLayers(new ParameterStore(size.seed), { epsilon: EPSILON, layerStd: config.layerStd });
  return createSASRecOn(layers, 'sasrec', config, size);
}

export type SASRecConfig = z.infer<typeof sasrecSchema> & {
  /** Whether the heads are mixed by an output projection; default true. */
  readonly mixesHeads?: boolean;
};

/** The model behind `sasrec` and `gsasrec`, on layers that bring the ε of their norms. */
export function createSASRecOn(
  layers: Layers,
  name: string,
  config: SASRecConfig,
  { numRows, features }: ModelSize,
): NeuralModel {
  const { hiddenSize, maxLength, usePositions, positionsFrom, dropout } = config;
  const items = addItemVectors(layers, {
    ...config,
    numRows,
    features,
    ...(usePositions && { maxPositions: maxLength }),
  });
  const transformer = addTransformer(layers, {
    ...config,
    feedForwardSize: config.feedForwardSize ?? hiddenSize,
    causal: true,
    activation: 'relu',
    attentionDropout: dropout,
    innerDropout: dropout,
  });
  return createNeuralModel({
    name,
    ...(positionsFrom === 'newest' ? { countsFromNewest: true } : { remembersSessions: true }),
    parameters: layers.parameters,
    maxLength,
    body(batch, mode) {
      const drop = dropoutsOf(mode);
      const x = items.project(items.embed(batch, drop(dropout), mode));
      return transformer.apply(x, batch.offsets, drop, mode.memory);
    },
    ...items,
  });
}
