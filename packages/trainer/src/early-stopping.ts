import { z } from 'zod';

/** Of a metric, or of the training loss itself. */
export const LOSS = 'loss';

/** When the training of a window ends before its epochs do. */
export const earlyStoppingSchema = z.strictObject({
  metric: z
    .string()
    .describe(
      'Any metric such as `ndcg@20`, on the `valid` part of the window that is evaluated next, or `loss`, the mean over an epoch.',
    ),
  patience: z.int().min(1).default(3).describe('Validations in a row without improvement that end the training.'),
  minDelta: z
    .number()
    .min(0)
    .default(0)
    .describe('By how much a metric must rise, or the loss fall, to count as improved.'),
});

export type EarlyStoppingConfig = z.output<typeof earlyStoppingSchema>;

/** What early stopping has seen in a window. */
export interface StoppingState {
  readonly best?: number;
  readonly numBad: number;
}

/**
 * One more validation.
 *
 * @returns the new state; training ends when its `numBad` has reached the patience
 *
 * @example
 * const config = { metric: 'ndcg@20', patience: 2, minDelta: 0.01 };
 * let state = { numBad: 0 };
 * [0.1, 0.105, 0.2, 0.2, 0.21].map((value) => (state = observeValidation(state, value, config)).numBad); // → [0, 1, 0, 1, 2]
 */
export function observeValidation(
  { best, numBad }: StoppingState,
  value: number,
  { metric, minDelta }: EarlyStoppingConfig,
): StoppingState {
  const gain = best === undefined ? Number.POSITIVE_INFINITY : metric === LOSS ? best - value : value - best;
  const isBetter = best === undefined || (minDelta === 0 ? gain > 0 : gain >= minDelta);
  return isBetter ? { best: value, numBad: 0 } : { best, numBad: numBad + 1 };
}
