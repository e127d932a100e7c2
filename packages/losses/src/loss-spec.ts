import type { SessionBatch } from '@nimue/batch';
import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { z } from 'zod';
import type { ItemHistory } from './item-history.ts';
import type { TaskHead } from './task-head.ts';

/** What a loss compares: N hidden states with the items that came next, and what drawing negatives needs. */
export interface LossInputs {
  /** [N, D] */
  readonly hidden: Tensor2D;
  /** [V, D], row = item id */
  readonly itemTable: Tensor2D;
  /** [V] */
  readonly itemBias?: Tensor1D;
  /** [N], each ≥ FIRST_ITEM_ID */
  readonly targetIds: Int32Array;
  /** Of the step, for losses that draw negatives: the same seed draws the same ones. */
  readonly seed?: number;
  /** Where the targets stand, for negatives that leave out the items of their session; their labels, and how much each counts. */
  readonly batch?: SessionBatch;
  /** How often and when every item was met in the train windows so far, for losses that draw or choose items by it. */
  readonly itemHistory?: Partial<ItemHistory>;
  /** What a head of the model says of N hidden states [N], by the head's name; for losses that have `heads`. */
  readonly headOutput?: (head: string, hidden: Tensor2D) => Tensor1D;
}

/**
 * Mean over the N targets, weighed by `batch.targets.weights` where a loss that ranks items has them (heads are taught every event
 * alike, so that what they say stays a probability); differentiable in hidden, itemTable and itemBias.
 */
export interface Loss {
  (inputs: LossInputs): Scalar;
  /** Outputs beside the ranking of items that the loss trains; the model must have them. */
  readonly heads?: readonly TaskHead[];
}

/** What a loss's file exports: how it is configured and made. */
export interface LossSpec<Schema extends z.ZodType = z.ZodType> {
  /** Strict: unknown keys are refused. */
  readonly configSchema: Schema;
  /** False for a loss that teaches the model nothing about which item comes next; true when absent. */
  readonly ranksItems?: false;
  create(config: z.infer<Schema>): Loss;
}

/** Keeps the schema's type with the factory. */
export function defineLoss<Schema extends z.ZodType>(spec: LossSpec<Schema>): LossSpec<Schema> {
  return spec;
}
