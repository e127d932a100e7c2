import type { EpochRecord, TrainerListener } from '@nimue/trainer';

/** One epoch of one model with one seed in one window. */
export interface EpochPoint extends EpochRecord {
  readonly model: string;
  readonly seed: number;
  readonly windowIndex: number;
  /** Id of the window that is evaluated after the training. */
  readonly evaluateWindow: string;
}

/** What a model used of the machine. */
export interface Usage {
  readonly model: string;
  /** Events that the training steps read, all epochs, windows and seeds together. */
  readonly numEventsRead: number;
  /** Largest resident memory of the process at the end of a window, in bytes: what ran before counts too. */
  readonly memoryBytes: number;
}

/** Collects learning curves and usage from the results of windows, which hold their epochs also where a run was resumed. */
export interface CurveRecorder {
  readonly onEvent: TrainerListener;
  curves(): readonly EpochPoint[];
  usage(): readonly Usage[];
}

/** @param memory resident memory of the process in bytes */
export function recordCurves(memory: () => number = () => process.memoryUsage.rss()): CurveRecorder {
  const points: EpochPoint[] = [];
  const usage = new Map<string, Usage>();
  return {
    onEvent(event) {
      if (event.type !== 'windowDone') return;
      const { model, seed, windowIndex, evaluateWindow, epochs = [] } = event.result;
      points.push(...epochs.map((epoch) => ({ model, seed, windowIndex, evaluateWindow, ...epoch })));
      const { numEventsRead, memoryBytes } = usage.get(model) ?? { numEventsRead: 0, memoryBytes: 0 };
      usage.set(model, {
        model,
        numEventsRead: epochs.reduce((sum, { numEvents }) => sum + numEvents, numEventsRead),
        memoryBytes: Math.max(memoryBytes, memory()),
      });
    },
    curves: () => points,
    usage: () => [...usage.values()],
  };
}
