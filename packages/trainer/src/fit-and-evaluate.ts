import {
  datasetFromSessions,
  type EvaluationPlan,
  type PlainSession,
  planRollingEvaluation,
  type RollingEvaluationOptions,
  type SplitOptions,
  selectWindow,
  type WindowBounds,
  type WindowedDataset,
} from '@nimue/data';
import { type EvaluationConfig, evaluationSchema } from './evaluation/evaluation-schema.ts';
import { type Contender, type RunRollingArgs, runContender } from './run-rolling.ts';
import type { WindowResult } from './trainer-events.ts';

export interface FitAndEvaluateArgs extends Pick<RunRollingArgs, 'features' | 'onEvent' | 'signal' | 'checkpoints'> {
  /** Sessions of any order; a session belongs to the window in which it starts. */
  readonly sessions: readonly PlainSession[];
  /** Default: days in UTC. */
  readonly windows?: WindowBounds;
  /** Which sessions of a window are for validation. Default: none, all are evaluated. */
  readonly split?: SplitOptions;
  /** What trains before each evaluation, and what becomes of missing days. Default: `incremental`. */
  readonly policy?: RollingEvaluationOptions;
  /** Ids of the first window that is trained on and the last one that is. The window after it is evaluated too. */
  readonly startWindow: string;
  readonly endWindow: string;
  /** Default: the last item of every session, over the whole catalogue. */
  readonly evaluation?: EvaluationConfig;
  readonly seed: number;
}

export interface FittedAndEvaluated {
  readonly results: readonly WindowResult[];
  /** Metric → its value in every evaluated window, oldest first. */
  readonly perWindow: Readonly<Record<string, readonly number[]>>;
  /** Metric → mean over the windows, each counting the same ("average over time"). */
  readonly averages: Readonly<Record<string, number>>;
}

/**
 * Trains on the windows from `startWindow` to `endWindow` and evaluates on the next, as the policy says: when none is given, on one
 * after the other, the weights carried over, as `fit_and_evaluate` of Transformers4Rec does. A policy that trains on several windows
 * first evaluates after the last of them. Sessions outside these windows are never read.
 *
 * @throws when a window is not there, none follows `endWindow`, or the windows are too few for the policy
 */
export async function fitAndEvaluate(contender: Contender, args: FitAndEvaluateArgs): Promise<FittedAndEvaluated> {
  const {
    sessions,
    windows,
    split = { validShare: 0 },
    startWindow,
    endWindow,
    policy = { policy: 'incremental' },
    evaluation = evaluationSchema.parse({}),
    ...rest
  } = args;
  const dataset = datasetFromSessions(sessions, { windows, split });
  const [start, end] = [startWindow, endWindow].map((id) => selectWindow(dataset.windows, id));
  const next = dataset.windows.findIndex(({ numSessions }, window) => window > end && numSessions > 0);
  if (start > end || next < 0) {
    const why = start > end ? `it comes before startWindow ${startWindow}` : 'no window with sessions follows it';
    throw new Error(`fitAndEvaluate: endWindow is ${endWindow}, but ${why}`);
  }
  const plan = planBetween(dataset.windows, start, next, policy);
  const results = await runContender(contender, { dataset, plan, evaluation, ...rest });
  const labels = Object.keys(results[0].metrics);
  const perWindow = Object.fromEntries(
    labels.map((label) => [label, results.map(({ metrics }) => metrics[label])] as const),
  );
  const averages = Object.fromEntries(
    labels.map((label) => [label, perWindow[label].reduce((sum, value) => sum + value, 0) / results.length] as const),
  );
  return { results, perWindow, averages };
}

/** The plan of the windows `from` … `to` alone, by their places among all. */
function planBetween(
  windows: WindowedDataset['windows'],
  from: number,
  to: number,
  policy: RollingEvaluationOptions,
): EvaluationPlan {
  const { steps, skipped, ...rest } = planRollingEvaluation(windows.slice(from, to + 1), policy);
  const moved = (some: readonly number[]) => some.map((window) => window + from);
  return {
    ...rest,
    steps: steps.map(({ trainWindows, evaluateWindow, replay, ...step }) => ({
      ...step,
      trainWindows: moved(trainWindows),
      evaluateWindow: evaluateWindow + from,
      ...(replay && { replay: { ...replay, windows: moved(replay.windows) } }),
    })),
    skipped: skipped.map((one) => ({ ...one, window: one.window + from })),
  };
}
