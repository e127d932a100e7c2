import { gruLayers } from './gru-layers.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';
import { weightedSum } from './weighted-sum.ts';

export const narm: ModelGraph<ConfigOf<'narm'>> = (parts, { numLayers }) => {
  const { g, linear } = parts;
  const states = gruLayers(parts, parts.embed(), numLayers);
  const newest = parts.atTarget(states);
  const asked = g.add(linear('each', states), g.expand(linear('newest', newest), 1));
  const weights = linear('attention', g.unary('sigmoid', asked));
  return g.add(linear('global', newest), linear('local', weightedSum(parts, states, weights)));
};
