import { bertBody } from './bert-body.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';

export const bert4rec: ModelGraph<ConfigOf<'bert4rec'>> = (parts, config) => bertBody(parts, config, false);
