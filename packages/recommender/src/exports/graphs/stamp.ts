import type { ConfigOf, ModelGraph } from './model-graph.ts';
import { weightedSum } from './weighted-sum.ts';

export const stamp: ModelGraph<ConfigOf<'stamp'>> = (parts) => {
  const { g, sessions, linear } = parts;
  const x = parts.project(parts.embed());
  const numEvents = g.expand(g.sum(g.cast(sessions.isThere, 'float'), 1), 1);
  const mean = g.binary('div', weightedSum(parts, x), numEvents);
  const newest = parts.atTarget(x);
  const asked = g.add(linear('newest', newest), linear('mean', mean));
  const weights = linear('attention', g.unary('sigmoid', g.add(linear('each', x), g.expand(asked, 1))));
  const general = weightedSum(parts, x, weights);
  return g.mul(linear('general', general, 'tanh'), linear('current', newest, 'tanh'));
};
