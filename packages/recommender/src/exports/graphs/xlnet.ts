import { hidesLater, hidesPadding } from './attention.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';
import { relativeTransformer } from './relative-transformer.ts';

/** With two streams the query stream, which predicts, sees what is visible and never the position's own item. */
export const xlnet: ModelGraph<ConfigOf<'xlnet'>> = (parts, config) => {
  const { g } = parts;
  const { attention } = config;
  const x = parts.project(parts.embed());
  const hiding =
    attention === 'causal'
      ? hidesLater(parts)
      : hidesPadding(parts, attention === 'twoStream' ? 'isVisible' : 'isThere');
  const how = { activation: 'gelu', epsilon: 1e-12, sharesBiases: false, hiding } as const;
  // The same vector at every position, [B, L, D].
  const start = attention === 'twoStream' ? g.add(g.mul(x, 0), parts.weight('queryStart')) : undefined;
  return parts.atTarget(relativeTransformer(parts, x, { ...config, ...how }, start));
};
