import { z } from 'zod';
import type { Schedule } from './schedule.ts';

export const plateauSchema = z.strictObject({
  factor: z.number().positive().lt(1).default(0.5).describe('The rate is multiplied by it.'),
  patience: z.int().min(0).default(1).describe('Epochs without improvement that are waited for.'),
  minDelta: z
    .number()
    .min(0)
    .lt(1)
    .default(1e-4)
    .describe('An epoch is better when its loss is below the best one by this share of it.'),
});

export type PlateauConfig = z.output<typeof plateauSchema>;

/** The highest rate, times what `Plateau` says after every epoch. */
export const reduceOnPlateau: Schedule = () => 1;

/** What `Plateau` has seen; it can be kept and gone on from. */
export interface PlateauState {
  best?: number;
  numBad: number;
  share: number;
}

export function newPlateau(): PlateauState {
  return { numBad: 0, share: 1 };
}

/** Watches the loss of epochs: each time it has not become better for more than `patience` of them the rate is cut. */
export class Plateau {
  readonly #config: PlateauConfig;
  readonly #state: PlateauState;

  /** @param state is moved along */
  constructor(config: PlateauConfig, state: PlateauState = newPlateau()) {
    this.#config = config;
    this.#state = state;
  }

  /** What the rate is multiplied by now. */
  get share(): number {
    return this.#state.share;
  }

  /** @param loss of one more epoch */
  observe(loss: number): void {
    const { factor, patience, minDelta } = this.#config;
    const state = this.#state;
    const isBetter = loss < (state.best ?? Number.POSITIVE_INFINITY) * (1 - minDelta);
    if (isBetter) state.best = loss;
    state.numBad = isBetter ? 0 : state.numBad + 1;
    if (state.numBad <= patience) return;
    state.share *= factor;
    state.numBad = 0;
  }
}
