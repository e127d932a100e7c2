import type { Value } from '../graph.ts';
import { distanceRows, headOf, rowsAndColumns } from './attention.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';
import type { ModelParts } from './model-parts.ts';
import { timeBuckets } from './padded-sessions.ts';

const EPSILON = 1e-6;
const FINAL_EPSILON = 1e-8;

export const hstu: ModelGraph<ConfigOf<'hstu'>> = (parts, config) => {
  const { g, linear } = parts;
  const { hiddenSize: width, numBlocks, numHeads, maxLength, relativeTime, relativePosition } = config;
  const [rows, columns] = rowsAndColumns(parts);
  const sees = g.expand(g.cast(g.compare('lessEqual', columns, rows), 'float'), 0);
  const distances = relativePosition ? distanceRows(parts, maxLength - 1) : undefined;
  const buckets = relativeTime ? pairBuckets(parts, config.numTimeBuckets) : undefined;
  const ones = g.constant('ones', [width], new Float32Array(width).fill(1));
  const zeros = g.constant('zeros', [width], new Float32Array(width));
  const norm = (x: Value) => g.layerNorm(x, ones, zeros, EPSILON);
  let x = parts.project(parts.embed());
  for (let i = 1; i <= numBlocks; i++) {
    const block = `block${i}`;
    const normed = norm(x);
    const [gate, value, query, key] = ['gate', 'value', 'query', 'key'].map((part) =>
      linear(`${block}.${part}`, normed, 'silu'),
    );
    const heads = Array.from({ length: numHeads }, (_, h) => {
      const part = (y: Value) => headOf(parts, y, h, width / numHeads);
      let scores = g.matMul(part(query), part(key), { transposeB: true });
      if (distances) scores = g.add(scores, g.expand(biasOf(parts, `${block}.positionBias`, h, distances), 0));
      if (buckets) scores = g.add(scores, biasOf(parts, `${block}.timeBias`, h, buckets));
      const weights = g.mul(g.mul(scores, g.unary('sigmoid', scores)), sees);
      return g.mul(g.matMul(weights, part(value)), 1 / maxLength);
    });
    const gated = g.mul(gate, norm(g.concat(heads, 2)));
    x = g.add(x, linear(`${block}.output`, gated));
  }
  return parts.norm('finalNorm', parts.atTarget(x), FINAL_EPSILON);
};

/** The bucket of the time between every two events [B, L, L]. */
function pairBuckets({ g, sessions }: ModelParts, numBuckets: number): Value {
  const side = (axis: number) => sessions.times.map((time) => g.expand(time, axis));
  return timeBuckets(g, side(2), side(1), numBuckets, false);
}

/** The column of a head of a table of biases, at some rows. */
function biasOf({ g, weight }: ModelParts, name: string, head: number, rows: Value): Value {
  const { shape, values } = weight(name);
  const column = Float32Array.from({ length: shape[0] }, (_, row) => values[row * shape[1] + head]);
  return g.gather(g.constant(`${name}.head${head + 1}`, [shape[0]], column), rows);
}
