import { hidesLater } from './attention.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';
import { transformer } from './transformer.ts';

export const sasrec: ModelGraph<ConfigOf<'sasrec'>> = (parts, config) => {
  const options = { ...config, activation: 'relu', epsilon: 1e-8, hiding: hidesLater(parts) } as const;
  const x = parts.project(parts.embed(config.scaleItems ? Math.sqrt(config.hiddenSize) : 1));
  return parts.atTarget(transformer(parts, x, options));
};
