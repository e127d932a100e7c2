import type { PlannedWindow } from './plan-windows.ts';

/** Which windows a model is trained on before it is evaluated on the next one. */
export type TrainPolicy =
  /** On the window before, starting from the weights of the step before; at first on a base period of `baseSize` (default 1). */
  | { readonly policy: 'incremental'; readonly baseSize?: number }
  /** `incremental`, with a sampled share of the sessions of older windows among those of the window before. */
  | ({ readonly policy: 'replay'; readonly baseSize?: number } & ReplayOptions)
  /** On the last `size` windows, from scratch. */
  | { readonly policy: 'sliding'; readonly size: number }
  /** On every window so far, from scratch; at first on `baseSize` (default 1). */
  | { readonly policy: 'expanding'; readonly baseSize?: number }
  /** On the first `size` windows (default 1), then never again. */
  | { readonly policy: 'frozen'; readonly size?: number };

export interface ReplayOptions {
  /** Probability with which each older session is trained on again. */
  readonly share: number;
  /** How many windows back older sessions are drawn from. Default: all. */
  readonly lastWindows?: number;
}

export const EMPTY_WINDOWS = ['skip', 'count', 'break', 'error'] as const;

export type RollingEvaluationOptions = TrainPolicy & {
  /**
   * What to do about windows without sessions (missing days). `skip` (default): leave them out, and count "the last n" and
   * "the next" over the rest. `count`: they count, so that the last 3 days are days of the calendar. `break`: as `count`, and
   * a window that follows an empty one is not evaluated, since what it would be predicted from is not the day before.
   * `error`: refuse.
   */
  readonly emptyWindows?: (typeof EMPTY_WINDOWS)[number];
  /** A window with fewer sessions is taken for an empty one: neither trained on nor evaluated. Default 1. */
  readonly minSessions?: number;
};

/** One step of a rolling evaluation; the numbers are indices into the list of windows. */
export interface EvaluationStep {
  /** Windows to train on, rising; empty when nothing is trained in this step (frozen). */
  readonly trainWindows: readonly number[];
  readonly evaluateWindow: number;
  /** Start from the weights of the step before (true) or from scratch (false). */
  readonly carryWeights: boolean;
  /** Windows of steps before of which a share of the sessions is trained on again. */
  readonly replay?: { readonly windows: readonly number[]; readonly share: number };
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
 * Plans training and evaluation over windows: train on the past, evaluate on the next window. What becomes of windows
 * without sessions, or with fewer than `minSessions`, `emptyWindows` says; they are never evaluated, and reported in `skipped`.
 *
 * @throws when there are not enough windows with sessions, or a window is empty and `emptyWindows` is `'error'`
 *
 * @example
 * planRollingEvaluation(dataset.windows, { policy: 'incremental' }).steps[0];
 * // { trainWindows: [0], evaluateWindow: 1, carryWeights: false }
 */
export function planRollingEvaluation(
  windows: readonly CountedWindow[],
  options: RollingEvaluationOptions,
): EvaluationPlan {
  const { emptyWindows = 'skip', minSessions = 1 } = options;
  const isFilled = (window: number) => windows[window].numSessions >= minSessions;
  const filled = [...windows.keys()].filter(isFilled);
  const skipped: { window: number; id: string; reason: string }[] = [];
  const skip = (window: number, reason: string) => skipped.push({ window, id: windows[window].id, reason });
  for (const window of windows.keys()) if (!isFilled(window)) skip(window, reasonOf(windows[window], minSessions));
  if (skipped.length > 0 && emptyWindows === 'error') {
    throw new Error(
      `planRollingEvaluation: window ${skipped[0].id} has ${countOf(windows[skipped[0].window])}${minSessions > 1 ? `, minSessions is ${minSessions}` : ''} (${skipped.length} such windows); ` +
        `choose a longer span, or emptyWindows: 'skip'`,
    );
  }
  const size = trainSize(options);
  const counted = emptyWindows === 'skip' ? filled : [...windows.keys()];
  const tooFew = () =>
    new Error(
      `planRollingEvaluation: ${options.policy} needs ${size + 1} windows with ${minSessions === 1 ? '' : `${minSessions} `}sessions (${size} to train, 1 to evaluate), ` +
        `got ${filled.length} of ${windows.length}; choose a shorter span or more of the log`,
    );
  if (filled.length < 2 || counted.length < size + 1) throw tooFew();
  const steps: EvaluationStep[] = [];
  const trained: number[] = [];
  const base = counted.slice(0, size).filter(isFilled);
  let waiting = base.filter((window) => window !== counted[size - 1]);
  for (let next = size; next < counted.length; next++) {
    const [before, evaluateWindow] = [counted[next - 1], counted[next]];
    if (isFilled(before)) waiting.push(before);
    if (!isFilled(evaluateWindow)) continue;
    const isAfterGap = emptyWindows === 'break' && !isFilled(before);
    const carryWeights = steps.length > 0 && carriesWeights(options);
    const trainWindows = trainWindowsOf(options, counted.slice(0, next).filter(isFilled), {
      slid: counted.slice(next - size, next).filter(isFilled),
      base,
      waiting,
      isFirst: steps.length === 0,
    });
    if (isAfterGap || (trainWindows.length === 0 && !carryWeights)) {
      skip(
        evaluateWindow,
        isAfterGap
          ? 'no session starts in the window before it'
          : 'no session starts in the windows that would train for it',
      );
      continue;
    }
    const older = 'lastWindows' in options && options.lastWindows ? trained.slice(-options.lastWindows) : [...trained];
    const isReplayed = options.policy === 'replay' && older.length > 0;
    steps.push({
      trainWindows,
      evaluateWindow,
      carryWeights,
      ...(isReplayed && { replay: { windows: older, share: options.share } }),
    });
    trained.push(...waiting);
    waiting = [];
  }
  if (steps.length === 0) throw tooFew();
  assertNoLeak(windows, steps);
  return { steps, skipped: skipped.sort((a, b) => a.window - b.window) };
}

function reasonOf({ numSessions }: CountedWindow, minSessions: number): string {
  if (numSessions === 0) return 'no session starts in it';
  return `it has ${countOf({ numSessions })}, minSessions is ${minSessions}`;
}

function countOf({ numSessions }: Pick<CountedWindow, 'numSessions'>): string {
  return numSessions === 0 ? 'no sessions' : numSessions === 1 ? '1 session' : `${numSessions} sessions`;
}

function carriesWeights({ policy }: TrainPolicy): boolean {
  return policy === 'incremental' || policy === 'replay' || policy === 'frozen';
}

/**
 * @param before all windows with sessions before the evaluated one
 * @param parts `slid`: those of the last `size`; `base`: of the first; `waiting`: those that no step has trained on yet
 */
function trainWindowsOf(
  { policy }: TrainPolicy,
  before: readonly number[],
  {
    slid,
    base,
    waiting,
    isFirst,
  }: { slid: readonly number[]; base: readonly number[]; waiting: readonly number[]; isFirst: boolean },
): readonly number[] {
  if (policy === 'expanding') return before;
  if (policy === 'sliding') return slid;
  if (policy === 'frozen') return isFirst ? base : [];
  return waiting;
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
    for (const train of [...step.trainWindows, ...(step.replay?.windows ?? [])]) {
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

/** Windows that the first step trains on. */
function trainSize(options: RollingEvaluationOptions): number {
  const name = 'baseSize' in options ? 'baseSize' : 'size';
  const size = ('size' in options ? options.size : 'baseSize' in options ? options.baseSize : 1) ?? 1;
  if (!Number.isInteger(size) || size < 1) {
    throw new Error(`planRollingEvaluation: ${name} must be a whole number ≥ 1, got ${size}`);
  }
  if (options.policy === 'replay' && !(options.share > 0 && options.share <= 1)) {
    throw new Error(`planRollingEvaluation: replay's share must be above 0 and at most 1, got ${options.share}`);
  }
  return size;
}
