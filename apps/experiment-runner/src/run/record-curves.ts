import type { TrainerListener } from '@nimue/trainer';

/** One epoch of one model with one seed in one window. */
export interface EpochPoint {
  readonly model: string;
  readonly seed: number;
  readonly windowIndex: number;
  /** Id of the window that is evaluated after the training. */
  readonly evaluateWindow: string;
  /** 1-based within the window. */
  readonly epoch: number;
  /** Mean over the steps of the epoch. */
  readonly loss: number;
  /** Of the last step. */
  readonly learningRate: number;
  readonly numEvents: number;
  /** Metrics on the valid part of the window that is evaluated next, where training looks at them after the epoch. */
  readonly validation?: Readonly<Record<string, number>>;
}

/** What a model used of the machine. */
export interface Usage {
  readonly model: string;
  /** Events that the training steps read, all epochs, windows and seeds together. */
  readonly numEventsRead: number;
  /** Largest resident memory of the process at the end of a window, in bytes: what ran before counts too. */
  readonly memoryBytes: number;
}

/** Collects learning curves and usage from the trainer's events. */
export interface CurveRecorder {
  readonly onEvent: TrainerListener;
  curves(): readonly EpochPoint[];
  usage(): readonly Usage[];
}

/** @param memory resident memory of the process in bytes */
export function recordCurves(memory: () => number = () => process.memoryUsage.rss()): CurveRecorder {
  type Sums = { -readonly [Key in keyof EpochPoint]: EpochPoint[Key] } & { numSteps: number };
  const points = new Map<string, Sums>();
  const usage = new Map<string, { numEventsRead: number; memoryBytes: number }>();
  const usageOf = (model: string) => {
    const own = usage.get(model) ?? { numEventsRead: 0, memoryBytes: 0 };
    usage.set(model, own);
    return own;
  };
  return {
    onEvent(event) {
      if (event.type === 'windowDone') {
        const own = usageOf(event.result.model);
        own.memoryBytes = Math.max(own.memoryBytes, memory());
      }
      if (event.type !== 'stepDone' && event.type !== 'epochDone') return;
      const { model, seed, windowIndex, evaluateWindow, epoch } = event;
      const key = JSON.stringify([model, seed, windowIndex, epoch]);
      if (event.type === 'epochDone') {
        const ended = points.get(key);
        if (ended && Object.keys(event.validation).length > 0) ended.validation = event.validation;
        return;
      }
      const { loss, learningRate, numEvents } = event;
      usageOf(model).numEventsRead += numEvents;
      const point = points.get(key);
      if (!point) {
        points.set(key, {
          model,
          seed,
          windowIndex,
          evaluateWindow,
          epoch,
          loss,
          learningRate,
          numEvents,
          numSteps: 1,
        });
        return;
      }
      point.loss += loss;
      point.numSteps++;
      point.numEvents += numEvents;
      point.learningRate = learningRate;
    },
    curves: () => [...points.values()].map(({ numSteps, ...point }) => ({ ...point, loss: point.loss / numSteps })),
    usage: () => [...usage].map(([model, own]) => ({ model, ...own })),
  };
}
