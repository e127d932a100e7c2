import { bertBody } from './bert-body.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';

export const bert: ModelGraph<ConfigOf<'bert'>> = (parts, config) => bertBody(parts, config, config.shareBlocks);
