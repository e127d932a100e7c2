import type { AttentionDirection } from '@nimue/batch';
import type { z } from 'zod';
import type { InputColumn } from './inputs/input-column.ts';
import type { AnyModel } from './next-item-model.ts';

/** What a model's file exports: how it is configured and made. */
export interface ModelSpec<Schema extends z.ZodType = z.ZodType> {
  readonly kind: AnyModel['kind'];
  /** Strict: unknown keys are refused. */
  readonly configSchema: Schema;
  /** What a model of that configuration lets a position see, before it is made; `causal` when absent. */
  attention?(config: z.infer<Schema>): AttentionDirection;
  /** Whether it tells replaced items from true ones, and so can be taught by `replacedToken`; no when absent. */
  discriminates?(config: z.infer<Schema>): boolean;
  /** The objective of an experiment that names none; by `attention` when absent: causal, masked or permutation. */
  objective?(config: z.infer<Schema>): string;
  /** The loss of an experiment that names none; `crossEntropy` when absent. */
  loss?(config: z.infer<Schema>): string;
  /** @param size.numRows rows of the item table; @param size.seed same seed, same weights */
  create(config: z.infer<Schema>, size: ModelSize): AnyModel;
}

export interface ModelSize {
  readonly numRows: number;
  readonly seed: number;
  /** Columns that the batches will carry. */
  readonly features?: readonly InputColumn[];
}

/** Keeps the schema's type with the factory. */
export function defineModel<Schema extends z.ZodType>(spec: ModelSpec<Schema>): ModelSpec<Schema> {
  return spec;
}

/** What a model of that configuration is taught when the experiment does not say. */
export function defaultObjective(spec: ModelSpec, config: unknown): string {
  if (spec.objective) return spec.objective(config);
  return { causal: 'causal', bidirectional: 'masked', twoStream: 'permutation' }[spec.attention?.(config) ?? 'causal'];
}

/** The loss that a model is taught by when the experiment does not say. */
export function defaultLoss(spec: ModelSpec, config: unknown): string {
  return spec.loss?.(config) ?? 'crossEntropy';
}
