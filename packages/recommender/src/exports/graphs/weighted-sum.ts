import type { Value } from '../graph.ts';
import type { ModelParts } from './model-parts.ts';

/** Σ over the events of a session of weight · x: x [B, L, D], weights [B, L, 1] → [B, D]. */
export function weightedSum({ g, sessions }: ModelParts, x: Value, weights?: Value): Value {
  const isThere = g.expand(g.cast(sessions.isThere, 'float'), 2);
  return g.sum(g.mul(x, weights ? g.mul(weights, isThere) : isThere), 1);
}
