import { bertBody } from './bert-body.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';

export const albert: ModelGraph<ConfigOf<'albert'>> = (parts, config) => bertBody(parts, config, config.shareBlocks);
