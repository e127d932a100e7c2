import type { Value } from '../graph.ts';
import { attention, distanceRows, headOf } from './attention.ts';
import type { ModelParts } from './model-parts.ts';

export interface RelativeTransformerOptions {
  readonly hiddenSize: number;
  readonly numBlocks: number;
  readonly numHeads: number;
  readonly activation: 'relu' | 'gelu';
  readonly epsilon: number;
  /** One pair of biases for all blocks. */
  readonly sharesBiases: boolean;
  readonly maxLength: number;
  readonly hiding: Value;
}

/**
 * Post-norm blocks with attention by content and by distance, by the names that `addRelativeTransformer` of the models gives.
 * The products of distances' vectors with weights are computed here, once, for all distances that can occur.
 *
 * @param query of a second stream, whose states are returned, while x gives keys and values (XLNet's two streams)
 */
export function relativeTransformer(
  parts: ModelParts,
  x: Value,
  options: RelativeTransformerOptions,
  query?: Value,
): Value {
  const { g, linear } = parts;
  const { numBlocks, numHeads, hiddenSize: width, activation, epsilon, sharesBiases, maxLength, hiding } = options;
  const reach = maxLength - 1;
  const rows = distanceRows(parts, reach);
  const stream = (block: string, states: Value, content: Value): Value => {
    const biases = sharesBiases ? '' : `${block}.`;
    const asked = linear(`${block}.query`, states);
    const byDistance = g.add(asked, parts.weight(`${biases}positionBias`));
    const mixed = attention(parts, {
      query: g.add(asked, parts.weight(`${biases}contentBias`)),
      key: linear(`${block}.key`, content),
      value: linear(`${block}.value`, content),
      numHeads,
      width,
      hiding,
      bias(head) {
        const size = width / numHeads;
        const keys = distanceKeys(parts, block, { reach, width, from: head * size, size });
        // [L, B, D / H] · [L, L, D / H]ᵀ
        const perQuery = g.transpose(headOf(parts, byDistance, head, size), [1, 0, 2]);
        const scores = g.matMul(perQuery, g.gather(keys, rows), { transposeB: true });
        return g.mul(g.transpose(scores, [1, 0, 2]), 1 / Math.sqrt(size));
      },
    });
    const normed = parts.norm(`${block}.attentionNorm`, g.add(states, linear(`${block}.output`, mixed)), epsilon);
    const fed = linear(`${block}.contract`, linear(`${block}.expand`, normed, activation));
    return parts.norm(`${block}.feedForwardNorm`, g.add(normed, fed), epsilon);
  };
  let content = x;
  let asking = query;
  for (let i = 1; i <= numBlocks; i++) {
    const block = `block${i}`;
    if (asking) asking = stream(block, asking, content);
    // Nothing reads the content after the last block when there is a query stream.
    if (!asking || i < numBlocks) content = stream(block, content, content);
  }
  return asking ?? content;
}

/** Vectors of the distances times the weights of a head: row j − i + R is that of query i and key j [2 R + 1, D / H]. */
function distanceKeys(
  parts: ModelParts,
  block: string,
  { reach, width, from, size }: { reach: number; width: number; from: number; size: number },
): Value {
  const { values: weights } = parts.weight(`${block}.position.weights`);
  const half = Math.ceil(width / 2);
  const keys = new Float32Array((2 * reach + 1) * size);
  for (let row = 0; row <= 2 * reach; row++) {
    const vector = Array.from({ length: width }, (_, column) => {
      const angle = (reach - row) / 10000 ** ((2 * (column % half)) / width);
      return column < half ? Math.sin(angle) : Math.cos(angle);
    });
    for (let c = 0; c < size; c++) {
      keys[row * size + c] = vector.reduce((sum, v, d) => sum + v * weights[d * width + from + c], 0);
    }
  }
  return parts.g.constant(`${block}.distances.from${from}`, [2 * reach + 1, size], keys);
}
