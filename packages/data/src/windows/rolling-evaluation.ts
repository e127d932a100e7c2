import type { PlannedWindow } from './plan-windows.ts';

/** Which windows a model is trained on before it is evaluated on the next one. */
export type TrainPolicy =
  /** On the window before, starting from the weights of the step before. */
  | { readonly policy: 'incremental' }
  /** On the last `size` windows, from scratch. */
  | { readonly policy: 'sliding'; readonly size: number }
  /** On every window so far, from scratch. */
  | { readonly policy: 'expanding' }
  /** On the first `size` windows (default 1), then never again. */
  | { readonly policy: 'frozen'; readonly size?: number };

export type RollingEvaluationOptions = TrainPolicy & {
  /** What to do about windows without sessions: leave them out and say so (default), or refuse. */
  readonly emptyWindows?: 'skip' | 'error';
};

/** One step of a rolling evaluation; the numbers are indices into the list of windows. */
export interface EvaluationStep {
  /** Windows to train on, rising; empty when nothing is trained in this step (frozen). */
  readonly trainWindows: readonly number[];
  readonly evaluateWindow: number;
  /** Start from the weights of the step before (true) or from scratch (false). */
  readonly carryWeights: boolean;
}

export interface EvaluationPlan {
  readonly steps: readonly EvaluationStep[];
  /** Windows that take no part, with the reason. */
  readonly skipped: readonly { readonly window: number; readonly id: string; readonly reason: string }[];
  /** Only the last event of each evaluated session is held out; those before it may have been trained on. */
  readonly onlyLast?: true;
}

type CountedWindow = PlannedWindow & { readonly numSessions: number };

/**
 * Plans training and evaluation over windows: train on the past, evaluate on the next window. Windows without sessions
 * are left out first; "the last" and "the next" are counted over the rest.
 *
 * @throws when fewer than two windows have sessions, when a window is empty and `emptyWindows` is `'error'`, or when
 *   there are not enough windows for `size`
 *
 * @example
 * planRollingEvaluation(dataset.windows, { policy: 'incremental' }).steps[0];
 * // { trainWindows: [0], evaluateWindow: 1, carryWeights: false }
 */
export function planRollingEvaluation(
  windows: readonly CountedWindow[],
  options: RollingEvaluationOptions,
): EvaluationPlan {
  const filled: number[] = [];
  const skipped: { window: number; id: string; reason: string }[] = [];
  windows.forEach((window, index) => {
    if (window.numSessions > 0) filled.push(index);
    else skipped.push({ window: index, id: window.id, reason: 'no session starts in it' });
  });
  if (skipped.length > 0 && options.emptyWindows === 'error') {
    throw new Error(
      `planRollingEvaluation: window ${skipped[0].id} has no sessions (${skipped.length} such windows); ` +
        `choose a longer span, or emptyWindows: 'skip'`,
    );
  }
  const size = trainSize(options);
  if (filled.length < size + 1) {
    throw new Error(
      `planRollingEvaluation: ${options.policy} needs ${size + 1} windows with sessions (${size} to train, 1 to evaluate), ` +
        `got ${filled.length} of ${windows.length}; choose a shorter span or more of the log`,
    );
  }
  const steps: EvaluationStep[] = [];
  for (let next = size; next < filled.length; next++) {
    const isFirst = next === size;
    const from = options.policy === 'expanding' ? 0 : next - size;
    const trains = options.policy !== 'frozen' || isFirst;
    steps.push({
      trainWindows: trains ? filled.slice(from, next) : [],
      evaluateWindow: filled[next],
      carryWeights: !isFirst && (options.policy === 'incremental' || options.policy === 'frozen'),
    });
  }
  assertNoLeak(windows, steps);
  return { steps, skipped };
}

/**
 * Refuses a plan that would let a model see what it is evaluated on: every train window must end before its
 * evaluation window begins, and weights that are carried over must not come from a later window either.
 *
 * @throws naming the first step that leaks
 */
export function assertNoLeak(windows: readonly PlannedWindow[], steps: readonly EvaluationStep[]): void {
  let seenUntilMs = Number.NEGATIVE_INFINITY;
  steps.forEach((step, index) => {
    const evaluated = windows[step.evaluateWindow];
    if (!evaluated)
      throw new Error(`assertNoLeak: step ${index} evaluates window ${step.evaluateWindow}, which does not exist`);
    if (!step.carryWeights) seenUntilMs = Number.NEGATIVE_INFINITY;
    for (const train of step.trainWindows) {
      const trained = windows[train];
      if (!trained) throw new Error(`assertNoLeak: step ${index} trains on window ${train}, which does not exist`);
      seenUntilMs = Math.max(seenUntilMs, trained.endMs);
      if (trained.endMs > evaluated.startMs) {
        throw new Error(
          `assertNoLeak: step ${index} trains on window ${trained.id} and evaluates on ${evaluated.id}; ` +
            'a train window must end before the evaluated one begins',
        );
      }
    }
    if (seenUntilMs > evaluated.startMs) {
      throw new Error(
        `assertNoLeak: step ${index} evaluates ${evaluated.id} with weights carried over from a later window; order the steps by time`,
      );
    }
  });
}

/**
 * The window with this id.
 *
 * @throws listing the first and last id when there is none
 */
export function selectWindow(windows: readonly PlannedWindow[], id: string): number {
  const index = windows.findIndex((window) => window.id === id);
  if (index >= 0) return index;
  const known =
    windows.length === 0 ? 'there are no windows' : `windows run from ${windows[0].id} to ${windows.at(-1)?.id}`;
  throw new Error(`selectWindow: no window '${id}'; ${known}`);
}

function trainSize(options: RollingEvaluationOptions): number {
  const size = 'size' in options ? (options.size ?? 1) : 1;
  if (!Number.isInteger(size) || size < 1) {
    throw new Error(`planRollingEvaluation: size must be a whole number ≥ 1, got ${size}`);
  }
  return size;
}
