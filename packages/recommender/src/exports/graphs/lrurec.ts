import type { Value } from '../graph.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';
import type { ModelParts } from './model-parts.ts';

const EPSILON = 1e-5;

export const lrurec: ModelGraph<ConfigOf<'lrurec'>> = (parts, { numBlocks }) => {
  const { g, linear, norm } = parts;
  let x = norm('itemNorm', parts.project(parts.embed()), EPSILON);
  for (let i = 1; i <= numBlocks; i++) {
    const block = `block${i}`;
    x = norm(`${block}.recurrenceNorm`, g.add(x, recur(parts, block, x)), EPSILON);
    const fed = linear(`${block}.contract`, linear(`${block}.expand`, x, 'gelu'));
    x = norm(`${block}.feedForwardNorm`, g.add(x, fed), EPSILON);
  }
  return parts.atTarget(x);
};

/** Re(C h + c) for the states of a block; λ and γ are computed here, once. */
function recur({ g, linear, weight }: ModelParts, block: string, x: Value): Value {
  const values = (name: string) => Array.from(weight(`${block}.${name}`).values);
  const angles = values('thetaLog').map(Math.exp);
  const radii = values('nuLog').map((nu) => Math.exp(-Math.exp(nu)));
  const size = radii.length;
  const decay = Float32Array.from([
    ...radii.map((radius, s) => radius * Math.cos(angles[s])),
    ...radii.map((radius, s) => radius * Math.sin(angles[s])),
  ]);
  const gamma = values('gammaLog').map(Math.exp);
  const gammas = g.constant(`${block}.gamma`, [2 * size], Float32Array.from([...gamma, ...gamma]));
  const inputs = g.mul(linear(`${block}.in`, x), gammas);
  return linear(`${block}.out`, g.linearRecurrence(inputs, g.constant(`${block}.decay`, [2, size], decay)));
}
