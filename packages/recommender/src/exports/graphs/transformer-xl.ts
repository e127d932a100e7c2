import { hidesLater } from './attention.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';
import { relativeTransformer } from './relative-transformer.ts';

export const transformerXl: ModelGraph<ConfigOf<'transformerXl'>> = (parts, config) => {
  const how = { activation: 'relu', epsilon: 1e-5, sharesBiases: true, hiding: hidesLater(parts) } as const;
  return parts.atTarget(relativeTransformer(parts, parts.project(parts.embed()), { ...config, ...how }));
};
