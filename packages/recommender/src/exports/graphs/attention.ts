import type { Value } from '../graph.ts';
import type { ModelParts } from './model-parts.ts';

/** What a hidden key's score is lowered by, as in the reference of `jaggedAttention`. */
const HIDDEN = -1e9;

export interface AttentionInputs {
  /** [B, L, D] */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly numHeads: number;
  readonly width: number;
  readonly hiding: Value;
  /** Added to the scores of a head [·, L, L], after they were scaled. */
  bias?(head: number): Value;
}

/** Softmax attention [B, L, D], head by head. */
export function attention(parts: ModelParts, inputs: AttentionInputs): Value {
  const { g } = parts;
  const { query, key, value, numHeads, width, hiding, bias } = inputs;
  const scale = 1 / Math.sqrt(width / numHeads);
  const heads = Array.from({ length: numHeads }, (_, h) => {
    const part = (x: Value) => headOf(parts, x, h, width / numHeads);
    let scores = g.mul(g.matMul(part(query), part(key), { transposeB: true }), scale);
    if (bias) scores = g.add(scores, bias(h));
    return g.matMul(g.softmax(g.add(scores, hiding)), part(value));
  });
  return g.concat(heads, 2);
}

/** The columns of a head [B, L, D / H]. */
export function headOf({ g }: ModelParts, x: Value, head: number, size: number): Value {
  return g.slice(x, { axis: 2, rank: 3, from: head * size, to: (head + 1) * size });
}

/** −10⁹ for keys after the query [1, L, L]. */
export function hidesLater(parts: ModelParts): Value {
  const { g } = parts;
  const isLater = g.cast(g.compare('less', ...rowsAndColumns(parts)), 'float');
  return g.expand(g.mul(isLater, HIDDEN), 0);
}

/** −10⁹ for keys that are padding, or, with `isVisible`, hidden [B, 1, L]. */
export function hidesPadding({ g, sessions }: ModelParts, keys: 'isThere' | 'isVisible' = 'isThere'): Value {
  const isThere = g.cast(sessions[keys], 'float');
  return g.expand(g.mul(g.sub(isThere, 1), -HIDDEN), 1);
}

/** Positions of queries [L, 1] and of keys [1, L]. */
export function rowsAndColumns({ g, sessions }: ModelParts): [Value, Value] {
  return [g.transpose(sessions.positions, [1, 0]), sessions.positions];
}

/** Row of a table of distances −R … R for key j and query i: j − i + R [L, L]. */
export function distanceRows(parts: ModelParts, reach: number): Value {
  const [rows, columns] = rowsAndColumns(parts);
  return parts.g.add(parts.g.sub(columns, rows), reach);
}
