import type { Value } from '../graph.ts';
import { attention } from './attention.ts';
import type { ModelParts } from './model-parts.ts';

export interface TransformerOptions {
  readonly hiddenSize: number;
  readonly numBlocks: number;
  readonly numHeads: number;
  readonly norm: 'pre' | 'post' | 'postFinal' | 'query';
  readonly activation: 'relu' | 'gelu';
  readonly epsilon: number;
  /** One block's weights, used `numBlocks` times. */
  readonly isShared?: boolean;
  /** Keys that a query does not see. */
  readonly hiding: Value;
}

/** Blocks of self-attention and feed-forward layers over x [B, L, D], by the names that `addTransformer` of the models gives. */
export function transformer(parts: ModelParts, x: Value, options: TransformerOptions): Value {
  const { g, linear } = parts;
  const { hiddenSize: width, numBlocks, numHeads, activation, epsilon, isShared = false, hiding } = options;
  const norm = (name: string, y: Value) => parts.norm(name, y, epsilon);
  let hidden = x;
  for (let i = 1; i <= numBlocks; i++) {
    const block = `block${isShared ? 1 : i}`;
    const attend = (from: Value, source: Value) => {
      const [query, key, value] = [from, source, source].map((y, p) =>
        linear(`${block}.${['query', 'key', 'value'][p]}`, y),
      );
      const mixed = attention(parts, { query, key, value, numHeads, width, hiding });
      return parts.has(`${block}.output.weights`) ? linear(`${block}.output`, mixed) : mixed;
    };
    const feed = (y: Value) => linear(`${block}.contract`, linear(`${block}.expand`, y, activation));
    if (options.norm === 'pre') {
      const normed = norm(`${block}.attentionNorm`, hidden);
      hidden = g.add(hidden, attend(normed, normed));
      hidden = g.add(hidden, feed(norm(`${block}.feedForwardNorm`, hidden)));
    } else if (options.norm === 'post' || options.norm === 'postFinal') {
      hidden = norm(`${block}.attentionNorm`, g.add(hidden, attend(hidden, hidden)));
      hidden = norm(`${block}.feedForwardNorm`, g.add(hidden, feed(hidden)));
    } else {
      const query = norm(`${block}.attentionNorm`, hidden);
      const normed = norm(`${block}.feedForwardNorm`, g.add(attend(query, hidden), query));
      hidden = g.add(normed, feed(normed));
    }
  }
  return options.norm === 'post' ? hidden : norm('finalNorm', hidden);
}
