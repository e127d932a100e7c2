import { type Activation, dropout, residualAdd } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { attend } from './attend.ts';
import type { DropoutStream, Layers } from './layers.ts';
import type { SessionMemory } from './session-memory.ts';

/** Where a block normalises; a(·) is attention, f(·) the feed-forward layer. */
export const NORMS = ['pre', 'post', 'postFinal', 'query'] as const;

export interface TransformerConfig {
  /** Before the names of the weights. */
  readonly prefix?: string;
  readonly hiddenSize: number;
  readonly feedForwardSize: number;
  readonly numBlocks: number;
  readonly numHeads: number;
  readonly causal: boolean;
  /**
   * `pre`: x + a(norm(x)), then x + f(norm(x)), and a norm at the end; `post`: norm(x + a(x)), then norm(x + f(x));
   * `postFinal`: the same with a norm at the end; `query`: q = norm(x), then q + a(q, x, x), s = norm(·), then s + f(s), and
   * a norm at the end.
   */
  readonly norm: (typeof NORMS)[number];
  readonly activation: Activation;
  /** Of what a layer adds to the residual stream. */
  readonly dropout: number;
  /** Of attention probabilities. */
  readonly attentionDropout: number;
  /** Of the feed-forward layer's inner activations. */
  readonly innerDropout: number;
  /** One block's weights, used `numBlocks` times. */
  readonly isShared?: boolean;
  /** Whether the heads are mixed by a layer of their own, `output`; default true. */
  readonly mixesHeads?: boolean;
}

export interface Transformer {
  /** @param memory what is kept of the session that x [n, D] are the newest events of; causal only */
  apply(x: Tensor2D, offsets: Int32Array, drop: DropoutStream, memory?: SessionMemory): Tensor2D;
}

/** Adds blocks of self-attention and point-wise feed-forward layers (Vaswani et al. 2017, section 3): `block1.query` … */
export function addTransformer(layers: Layers, config: TransformerConfig): Transformer {
  const {
    hiddenSize,
    feedForwardSize,
    numBlocks,
    numHeads,
    causal,
    norm,
    activation,
    isShared = false,
    mixesHeads = true,
    prefix = '',
  } = config;
  const names = Array.from({ length: isShared ? 1 : numBlocks }, (_, i) => `${prefix}block${i + 1}`);
  for (const block of names) {
    layers.addNorm(`${block}.attentionNorm`, hiddenSize);
    for (const part of ['query', 'key', 'value', ...(mixesHeads ? ['output'] : [])])
      layers.addLinear(`${block}.${part}`, hiddenSize, hiddenSize);
    layers.addNorm(`${block}.feedForwardNorm`, hiddenSize);
    layers.addLinear(`${block}.expand`, hiddenSize, feedForwardSize);
    layers.addLinear(`${block}.contract`, feedForwardSize, hiddenSize);
  }
  if (norm !== 'post') layers.addNorm(`${prefix}finalNorm`, hiddenSize);

  return {
    apply(x, offsets, drop, memory) {
      const attention = (block: string, i: number, query: Tensor2D, source: Tensor2D) => {
        const mixed = attend(
          layers.linear(`${block}.query`, query),
          layers.linear(`${block}.key`, source),
          layers.linear(`${block}.value`, source),
          offsets,
          { numHeads, causal, dropout: drop(config.attentionDropout) },
          memory && { memory, layer: `${prefix}block${i + 1}` },
        );
        return mixesHeads ? layers.linear(`${block}.output`, mixed) : mixed;
      };
      const feedForward = (block: string, x: Tensor2D) => {
        const inner = layers.linear(`${block}.expand`, x, activation);
        return layers.linear(`${block}.contract`, dropout(inner, drop(config.innerDropout)));
      };
      let hidden = x;
      for (let i = 0; i < numBlocks; i++) {
        const block = names[isShared ? 0 : i];
        if (norm === 'pre') {
          const normed = layers.norm(`${block}.attentionNorm`, hidden);
          hidden = residualAdd(attention(block, i, normed, normed), hidden, drop(config.dropout));
          const fed = feedForward(block, layers.norm(`${block}.feedForwardNorm`, hidden));
          hidden = residualAdd(fed, hidden, drop(config.dropout));
        } else if (norm === 'post' || norm === 'postFinal') {
          const attended = attention(block, i, hidden, hidden);
          hidden = layers.norm(`${block}.attentionNorm`, attended, { residual: hidden, dropout: drop(config.dropout) });
          const fed = feedForward(block, hidden);
          hidden = layers.norm(`${block}.feedForwardNorm`, fed, { residual: hidden, dropout: drop(config.dropout) });
        } else {
          const query = layers.norm(`${block}.attentionNorm`, hidden);
          // the attention's result is not dropped here, only its probabilities
          const summed = tf.add(attention(block, i, query, hidden), query) as Tensor2D;
          const normed = layers.norm(`${block}.feedForwardNorm`, summed);
          hidden = residualAdd(feedForward(block, normed), normed, drop(config.dropout));
        }
      }
      return norm === 'post' ? hidden : layers.norm(`${prefix}finalNorm`, hidden);
    },
  };
}
