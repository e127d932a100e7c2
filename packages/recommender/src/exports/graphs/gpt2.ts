import { hidesLater } from './attention.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';
import { transformer } from './transformer.ts';

export const gpt2: ModelGraph<ConfigOf<'gpt2'>> = (parts, config) => {
  const options = { ...config, norm: 'pre', activation: 'gelu', epsilon: 1e-5, hiding: hidesLater(parts) } as const;
  return parts.atTarget(transformer(parts, parts.project(parts.embed()), options));
};
