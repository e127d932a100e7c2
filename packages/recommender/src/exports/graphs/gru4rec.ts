import { gruLayers } from './gru-layers.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';

export const gru4rec: ModelGraph<ConfigOf<'gru4rec'>> = (parts, { numLayers }) =>
  parts.atTarget(gruLayers(parts, parts.embed(), numLayers));
