import type { Value } from '../graph.ts';
import { rowsAndColumns } from './attention.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';
import type { ModelParts } from './model-parts.ts';
import { weightedSum } from './weighted-sum.ts';

/**
 * A session's graph as matrices: its node for an item is the place of the item's first click, and the places of later
 * clicks hold nodes that nothing reads.
 */
export const srgnn: ModelGraph<ConfigOf<'srgnn'>> = (parts, { numSteps }) => {
  const { g, linear, weight } = parts;
  const x = parts.project(parts.embed());
  const { nodeOf, edges } = sessionGraph(parts);
  const sides = {
    in: meansOver(parts, g.transpose(edges, [0, 2, 1])),
    out: meansOver(parts, edges),
  };
  const hear = (side: 'in' | 'out', states: Value) =>
    g.add(sides[side](linear(`edges.${side}`, states)), weight(`edges.${side}.sumBias`));
  let states = x;
  for (let step = 0; step < numSteps; step++) {
    const [heardIn, heardOut] = [hear('in', states), hear('out', states)];
    const before = states;
    const fromEdges = (gate: string) => g.add(linear(`${gate}.in`, heardIn), linear(`${gate}.out`, heardOut));
    const gateOf = (gate: string) => g.unary('sigmoid', g.add(fromEdges(gate), linear(`${gate}.state`, before)));
    const own = g.mul(gateOf('reset'), linear('candidate.state', before));
    const candidate = g.unary('tanh', g.add(fromEdges('candidate'), own));
    states = g.add(candidate, g.mul(gateOf('update'), g.sub(before, candidate)));
  }
  const clicked = g.matMul(nodeOf, states);
  const newest = parts.atTarget(clicked);
  const asked = g.add(linear('each', clicked), g.expand(linear('newest', newest), 1));
  const weights = linear('attention', g.unary('sigmoid', asked));
  return g.add(linear('local', newest), linear('global', weightedSum(parts, clicked, weights)));
};

/** `nodeOf`: 1 for the node [·, ·, L] of a click [·, L, ·]; `edges`: 1 from a node to one that was clicked next [B, L, L]. */
function sessionGraph(parts: ModelParts): { nodeOf: Value; edges: Value } {
  const { g, sessions } = parts;
  const [rows, columns] = rowsAndColumns(parts);
  const isThere = g.cast(sessions.isThere, 'float');
  const isSame = g.cast(g.compare('equal', g.expand(sessions.itemIds, 2), g.expand(sessions.itemIds, 1)), 'float');
  const same = g.mul(g.mul(isSame, g.expand(isThere, 2)), g.expand(isThere, 1));
  const isEarlier = g.expand(g.cast(g.compare('less', columns, rows), 'float'), 0);
  const timesBefore = g.sum(g.mul(same, isEarlier), 2);
  const isFirst = g.sub(isThere, g.binary('minimum', timesBefore, 1));
  const nodeOf = g.mul(same, g.expand(isFirst, 1));
  // Column p of nodeBefore is the node of the click before p.
  const isNext = g.cast(g.compare('equal', g.add(rows, 1), columns), 'float');
  const nodeBefore = g.matMul(g.transpose(nodeOf, [0, 2, 1]), isNext);
  return { nodeOf, edges: g.binary('minimum', g.matMul(nodeBefore, nodeOf), 1) };
}

/** The mean, for every node, of the messages from the nodes that a row of the matrix names; 0 without any. */
function meansOver({ g }: ModelParts, neighbors: Value): (messages: Value) => Value {
  const degree = g.expand(g.binary('maximum', g.sum(neighbors, 2), 1), 2);
  return (messages) => g.binary('div', g.matMul(neighbors, messages), degree);
}
