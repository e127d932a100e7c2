import { attention, hidesLater } from './attention.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';

const EPSILON = 1e-5;

export const esasrec: ModelGraph<ConfigOf<'esasrec'>> = (parts, { hiddenSize: width, numBlocks, numHeads }) => {
  const { g, linear, norm } = parts;
  const hiding = hidesLater(parts);
  let x = parts.project(parts.embed());
  for (let i = 1; i <= numBlocks; i++) {
    const block = `block${i}`;
    const normed = norm(`${block}.attentionNorm`, x, EPSILON);
    const [query, key, value] = ['query', 'key', 'value'].map((part) => linear(`${block}.${part}`, normed));
    const mixed = linear(`${block}.output`, attention(parts, { query, key, value, numHeads, width, hiding }));
    x = g.add(x, g.mul(linear(`${block}.attentionGate`, x, 'sigmoid'), mixed));
    const y = norm(`${block}.feedForwardNorm`, x, EPSILON);
    const inner = g.mul(linear(`${block}.expandGate`, y, 'silu'), linear(`${block}.expand`, y));
    x = g.add(x, g.mul(linear(`${block}.feedForwardGate`, x, 'sigmoid'), linear(`${block}.contract`, inner)));
  }
  return parts.atTarget(x);
};
