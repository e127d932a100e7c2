import type { SessionBatch } from '@nimue/batch';

export interface Divergence {
  readonly model: string;
  readonly window: string;
  /** 1-based within the window. */
  readonly step: number;
  readonly learningRate: number;
  readonly loss: number;
  /** Mean of the window's first steps, where it is what the loss was measured by. */
  readonly firstLoss?: number;
  /** The batches of the step, with their targets; several where gradients are accumulated. */
  readonly batches: readonly SessionBatch[];
}

/** Training has produced a loss that is not a number, or one that has exploded. The step did not change the weights. */
export class DivergenceError extends Error {
  override readonly name = 'DivergenceError';
  readonly divergence: Divergence;

  /** @param savedAs file that holds the batch and the weights */
  constructor(divergence: Divergence, savedAs?: string) {
    const { model, window, step, learningRate, loss, firstLoss } = divergence;
    const what =
      firstLoss === undefined
        ? `the loss became ${loss}`
        : `the loss exploded to ${loss.toPrecision(6)} (${firstLoss.toPrecision(6)} in the first steps)`;
    super(
      `${model}: ${what} at step ${step} of window ${window} (learning rate ${learningRate}); ` +
        `lower training.learningRate or set training.clipNorm${savedAs ? `; the batch and the weights are in ${savedAs}` : ''}`,
    );
    this.divergence = divergence;
  }
}
