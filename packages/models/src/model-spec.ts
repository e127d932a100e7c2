import type { z } from 'zod';
import type { AnyModel } from './next-item-model.ts';

/** What a model's file exports: how it is configured and made. */
export interface ModelSpec<Schema extends z.ZodType = z.ZodType> {
  readonly kind: AnyModel['kind'];
  /** Strict: unknown keys are refused. */
  readonly configSchema: Schema;
  /** @param size.numRows rows of the item table; @param size.seed same seed, same weights */
  create(config: z.infer<Schema>, size: ModelSize): AnyModel;
}

export interface ModelSize {
  readonly numRows: number;
  readonly seed: number;
}

/** Keeps the schema's type with the factory. */
export function defineModel<Schema extends z.ZodType>(spec: ModelSpec<Schema>): ModelSpec<Schema> {
  return spec;
}
