import { type Activation, dropout, jaggedAttention, NO_DROPOUT } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { attendNewest } from './attend-newest.ts';
import { distanceVectors, vectorsOfDistances } from './distance-vectors.ts';
import type { DropoutStream, Layers } from './layers.ts';
import type { SessionMemory } from './session-memory.ts';

export interface RelativeTransformerConfig {
  /** Before the names of the weights. */
  readonly prefix?: string;
  readonly hiddenSize: number;
  readonly feedForwardSize: number;
  readonly numBlocks: number;
  readonly numHeads: number;
  readonly activation: Activation;
  /** Of attention probabilities, of distances' vectors and of what a layer adds. */
  readonly dropout: number;
  /** One pair of biases u, v for all blocks (Transformer-XL) or one for each (XLNet). */
  readonly sharesBiases: boolean;
}

/** What a position sees: everything before it and itself, everything, or what a mask says (`JaggedAttentionOptions.mask`). */
export type Visibility = { readonly causal: boolean; readonly mask?: Uint8Array };

export interface RelativeTransformer {
  apply(x: Tensor2D, offsets: Int32Array, sees: Visibility, drop: DropoutStream): Tensor2D;
  /** Causal states of the newest events x [n, D] of a session of which keys, values and distances are kept. */
  applyToNewest(x: Tensor2D, memory: SessionMemory): Tensor2D;
  /** Query stream beside the content stream: queries of `query`, keys and values of the content (XLNet). */
  applyTwoStream(
    content: Tensor2D,
    query: Tensor2D,
    offsets: Int32Array,
    masks: { readonly content: Uint8Array; readonly query: Uint8Array },
    drop: DropoutStream,
  ): Tensor2D;
}

/**
 * Post-norm blocks with attention by content and by distance (Dai et al. 2019, "Transformer-XL", section 3.3):
 * score(i, j) = ((xᵢ Q + u) · xⱼ K + (xᵢ Q + v) · r(i − j) R) / √(D / H) with r the sinusoids of the distance.
 */
export function addRelativeTransformer(layers: Layers, config: RelativeTransformerConfig): RelativeTransformer {
  const { prefix = '', hiddenSize, feedForwardSize, numBlocks, numHeads, activation, sharesBiases } = config;
  const { parameters } = layers;
  const blocks = Array.from({ length: numBlocks }, (_, i) => `${prefix}block${i + 1}`);
  const addBiases = (name: string) => {
    for (const bias of ['contentBias', 'positionBias'])
      parameters.add(`${name}${bias}`, [hiddenSize], { kind: 'zeros' });
  };
  if (sharesBiases) addBiases(prefix);
  for (const block of blocks) {
    for (const part of ['query', 'key', 'value', 'position', 'output']) {
      layers.addLinear(`${block}.${part}`, hiddenSize, hiddenSize, { bias: false });
    }
    if (!sharesBiases) addBiases(`${block}.`);
    layers.addNorm(`${block}.attentionNorm`, hiddenSize);
    layers.addLinear(`${block}.expand`, hiddenSize, feedForwardSize);
    layers.addLinear(`${block}.contract`, feedForwardSize, hiddenSize);
    layers.addNorm(`${block}.feedForwardNorm`, hiddenSize);
  }

  /** What content and distances are compared with. */
  const queriesOf = (block: string, x: Tensor2D) => {
    const biases = sharesBiases ? prefix : `${block}.`;
    const query = layers.linear(`${block}.query`, x);
    const withBias = (bias: string): Tensor2D => tf.add(query, parameters.vector(`${biases}${bias}`));
    return { byContent: withBias('contentBias'), byDistance: withBias('positionBias') };
  };
  /** One stream through one block; `source` gives keys and values. */
  const stream = (
    block: string,
    x: Tensor2D,
    source: { readonly key: Tensor2D; readonly value: Tensor2D; readonly distances: Tensor2D },
    offsets: Int32Array,
    sees: Visibility,
    drop: DropoutStream,
  ): Tensor2D => {
    const { byContent, byDistance } = queriesOf(block, x);
    const mixed = jaggedAttention(byContent, source.key, source.value, offsets, {
      numHeads,
      causal: sees.causal,
      mask: sees.mask,
      relative: { query: byDistance, keys: source.distances },
      dropout: drop(config.dropout),
    });
    return feedForward(block, x, mixed, drop);
  };
  /** The rest of a block after attention. */
  const feedForward = (block: string, x: Tensor2D, mixed: Tensor2D, drop: DropoutStream): Tensor2D => {
    const attended = layers.linear(`${block}.output`, mixed);
    const normed = layers.norm(`${block}.attentionNorm`, attended, { residual: x, dropout: drop(config.dropout) });
    const inner = dropout(layers.linear(`${block}.expand`, normed, activation), drop(config.dropout));
    const fed = layers.linear(`${block}.contract`, inner);
    return layers.norm(`${block}.feedForwardNorm`, fed, { residual: normed, dropout: drop(config.dropout) });
  };
  const sourceOf = (block: string, content: Tensor2D, vectors: Tensor2D) => ({
    key: layers.linear(`${block}.key`, content),
    value: layers.linear(`${block}.value`, content),
    distances: layers.linear(`${block}.position`, vectors),
  });

  return {
    apply(x, offsets, sees, drop) {
      const vectors = dropout(distanceVectors(offsets, hiddenSize), drop(config.dropout));
      let content = x;
      for (const block of blocks) {
        content = stream(block, content, sourceOf(block, content, vectors), offsets, sees, drop);
      }
      return content;
    },
    applyToNewest(x, memory) {
      const { numSeen } = memory;
      const vectors = vectorsOfDistances(numSeen, numSeen + x.shape[0], hiddenSize);
      let content = x;
      for (const block of blocks) {
        const { byContent, byDistance } = queriesOf(block, content);
        const keep = (part: string, rows: Tensor2D) =>
          memory.append(`${block}.${part}`, layers.linear(`${block}.${part}`, rows));
        const mixed = attendNewest(byContent, keep('key', content), keep('value', content), {
          numHeads,
          relative: { query: byDistance, keysByDistance: keep('position', vectors) },
        });
        content = feedForward(block, content, mixed, () => NO_DROPOUT);
      }
      return content;
    },
    applyTwoStream(x, startingQuery, offsets, masks, drop) {
      const vectors = dropout(distanceVectors(offsets, hiddenSize), drop(config.dropout));
      let content = x;
      let query = startingQuery;
      for (const [i, block] of blocks.entries()) {
        const source = sourceOf(block, content, vectors);
        query = stream(block, query, source, offsets, { causal: false, mask: masks.query }, drop);
        // Nothing reads the content after the last block.
        if (i === blocks.length - 1) break;
        content = stream(block, content, source, offsets, { causal: false, mask: masks.content }, drop);
      }
      return query;
    },
  };
}
