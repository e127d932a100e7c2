import { hidesLater } from './attention.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';
import { transformer } from './transformer.ts';

export const gsasrec: ModelGraph<ConfigOf<'gsasrec'>> = (parts, config) => {
  const how = { norm: 'query', activation: 'relu', epsilon: 1e-5, hiding: hidesLater(parts) } as const;
  return parts.atTarget(transformer(parts, parts.project(parts.embed()), { ...config, ...how }));
};
