import type { models } from '@nimue/models';
import type { z } from 'zod';
import type { Value } from '../graph.ts';
import type { ModelParts } from './model-parts.ts';

/** The body of a model as a graph: the state at the position that predicts [B, hiddenSize]. */
export type ModelGraph<Config = never> = (parts: ModelParts, config: Config) => Value;

/** The options of a model of the list. */
export type ConfigOf<Name extends keyof typeof models> = z.output<(typeof models)[Name]['configSchema']>;
