import type { SessionBatch } from '@nimue/batch';
import type { LogQ, Negatives } from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import type { z } from 'zod';

/** What a sampler may look at. */
export interface NegativesRequest {
  /** Of the step: the same seed draws the same negatives. */
  readonly seed: number;
  /** [N], each ≥ FIRST_ITEM_ID */
  readonly targetIds: Int32Array;
  /** Rows V of the item table, the reserved ones included. */
  readonly numTableRows: number;
  /** How often every item occurs in the train windows so far [V]. */
  readonly itemCounts?: Int32Array;
  /** Where the targets stand, to know each session's own items. */
  readonly batch?: SessionBatch;
  /** The current model's scores, for samplers that choose by them: [N, D], [V, D], [V]. */
  readonly scores?: { readonly hidden: Tensor2D; readonly itemTable: Tensor2D; readonly itemBias?: Tensor1D };
}

export interface DrawnNegatives {
  readonly negatives: Negatives;
  /** K */
  readonly numNegatives: number;
  /**
   * ln of how many times an item is expected among the negatives of a row, given what the row excludes; without a row:
   * before anything is excluded. Absent where nobody knows.
   */
  readonly logExpectedCount?: (itemId: number, row?: number) => number;
}

export type NegativeSampler = (request: NegativesRequest) => DrawnNegatives;

/** What a sampler's file exports: how it is configured and made. */
export interface NegativeSamplerSpec<Schema extends z.ZodObject = z.ZodObject> {
  /** Strict; `name` is its name in the list. */
  readonly configSchema: Schema;
  create(config: z.infer<Schema>): NegativeSampler;
}

/** Keeps the schema's type with the factory. */
export function defineNegatives<Schema extends z.ZodObject>(
  spec: NegativeSamplerSpec<Schema>,
): NegativeSamplerSpec<Schema> {
  return spec;
}

/**
 * Log expected counts of all candidates, as `sampledHead` takes them.
 *
 * @throws when the sampler does not know them, or a target has none because it was never counted
 */
export function logQOf(drawn: DrawnNegatives, targetIds: Int32Array): LogQ {
  const { negatives, numNegatives, logExpectedCount } = drawn;
  if (!logExpectedCount) {
    throw new Error("negatives: these have no known probabilities to correct by; set correction: 'none'");
  }
  const ids = 'shared' in negatives ? negatives.shared : negatives.own;
  const corrections = new Float32Array(ids.length);
  if ('shared' in negatives) {
    for (let k = 0; k < ids.length; k++) corrections[k] = logExpectedCount(ids[k]);
  } else {
    for (let n = 0, i = 0; i < ids.length; n++) {
      for (let k = 0; k < numNegatives; k++, i++) {
        // Stands for a negative that could not be drawn; the head leaves it out.
        corrections[i] = ids[i] === targetIds[n] ? 0 : logExpectedCount(ids[i], n);
      }
    }
  }
  const targets = new Float32Array(targetIds.length);
  for (let n = 0; n < targets.length; n++) {
    targets[n] = logExpectedCount(targetIds[n]);
    if (!Number.isFinite(targets[n])) {
      throw new Error(
        `negatives: target item ${targetIds[n]} of row ${n} has no count in itemCounts; count the windows that are trained on`,
      );
    }
  }
  return { targets, negatives: corrections };
}
