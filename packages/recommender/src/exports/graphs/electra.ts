import { bertBody } from './bert-body.ts';
import type { ConfigOf, ModelGraph } from './model-graph.ts';

/** The generator: it is what ranks. */
export const electra: ModelGraph<ConfigOf<'electra'>> = (parts, config) => bertBody(parts, config, false);
