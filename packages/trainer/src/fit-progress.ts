import { CarriedStates } from '@nimue/models';
import { newPlateau, type PlateauState } from './schedules/reduce-on-plateau.ts';
import type { EpochRecord } from './trainer-events.ts';

/**
 * Where the training of a window stands between two steps. With the weights, the optimizer's state and the averages it is
 * all that training needs to go on: whatever is random is a function of the seed and these numbers.
 */
export interface FitProgress {
  /** Epoch that is being read, 1-based. */
  epoch: number;
  /** Steps of that epoch that are done, those without a target included. */
  epochStep: number;
  /** Steps of the window that are done. */
  step: number;
  /** Batches of the window that have drawn their seed. */
  numDrawn: number;
  /** Sums over the epoch so far. */
  lossSum: number;
  numTargets: number;
  /** Events that the epoch's steps have read, and the learning rate of the last of them. */
  numEvents: number;
  learningRate: number;
  /** Mean loss per target of the last epoch that is over; absent before, and where nothing had a target. */
  meanLoss?: number;
  /** What a loss is measured by to tell whether it explodes: those of the window's first steps. */
  firstLosses: { sum: number; count: number };
  plateau: PlateauState;
  /** States that are carried from click to click, of session-parallel training. */
  carried: CarriedStates;
  /** Epochs that are over. */
  epochs: EpochRecord[];
  /** No further step is taken: all are done, or training has stopped early. */
  isOver: boolean;
}

/** The beginning of a window. */
export function newFitProgress(): FitProgress {
  return {
    epoch: 1,
    epochStep: 0,
    step: 0,
    numDrawn: 0,
    lossSum: 0,
    numTargets: 0,
    numEvents: 0,
    learningRate: 0,
    firstLosses: { sum: 0, count: 0 },
    plateau: newPlateau(),
    carried: new CarriedStates(),
    epochs: [],
    isOver: false,
  };
}
