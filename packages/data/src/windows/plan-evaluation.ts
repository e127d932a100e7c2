import { z } from 'zod';
import { assertWindowIndex } from '../dataset/dataset-from-sessions.ts';
import { countSessions, emptySessions, type Sessions, takeSessions } from '../dataset/sessions.ts';
import { isValidKey, type SplitOptions } from '../dataset/split-of-session.ts';
import type { SplitName, WindowedDataset, WindowInfo } from '../dataset/windowed-dataset.ts';
import { createCalendar } from './calendar.ts';
import { eventsBefore, leaveLast, type TargetsAfterCut, targetsBetween } from './held-out.ts';
import { type HeldOutPolicy, heldOutSchemas } from './held-out-schema.ts';
import { instantOf, planFolds } from './plan-windows.ts';
import {
  type EvaluationPlan,
  type EvaluationStep,
  planRollingEvaluation,
  type RollingEvaluationOptions,
} from './rolling-evaluation.ts';
import { rollingEvaluationSchema } from './windows-schema.ts';

/** How a model is trained and asked: window by window, or with a part of every sequence held out. */
export const evaluationPolicySchema = z.discriminatedUnion('policy', [
  ...rollingEvaluationSchema.options,
  ...heldOutSchemas,
]);

export type EvaluationPolicy = RollingEvaluationOptions | HeldOutPolicy;

export interface PlannedEvaluation {
  /** The data set itself, or what is held out of it in the form of windows: `history`, then `held-out`. */
  readonly dataset: WindowedDataset;
  readonly plan: EvaluationPlan;
}

export interface PlanEvaluationOptions {
  /** Clock of written instants and of the folds. Default `UTC`. */
  readonly timeZone?: string;
  /** Divides the targets of a `timeRange` fold into valid and test, by sequence. */
  readonly split?: SplitOptions;
}

/**
 * Plans training and evaluation by any policy. What is held out is given the form of windows, so that training and
 * evaluation need to know of nothing else: the window `history` is trained on, and the last event of every session of the
 * window `held-out` is asked for, with the events before it visible.
 *
 * - `leaveOneOut`, `lastN`: the end of every sequence (`leaveLast`).
 * - `globalTime`: events before `validFrom` train; those from there to `testFrom` are validation targets, the rest test.
 * - `timeRange`: `numFolds` spans of `testSize` at the end of the log; each is asked of a model trained on all before it.
 *
 * @throws when the log has no times but the policy needs them, or nothing is left to train on or to ask for
 */
export async function planEvaluation(
  dataset: WindowedDataset,
  policy: EvaluationPolicy,
  options: PlanEvaluationOptions = {},
): Promise<PlannedEvaluation> {
  if (!('span' in policy)) return { dataset, plan: planRollingEvaluation(dataset.windows, policy) };
  if (dataset.windows.length !== 1) {
    throw new Error(
      `planEvaluation: ${policy.policy} takes the whole log, but it is cut into ${dataset.windows.length} windows; set windows.span to 'all'`,
    );
  }
  const sessions = await dataset.read(0, 'train');
  const parts = holdOut(sessions, policy, dataset, options);
  const windows = parts.flatMap(({ id, startMs, endMs, history, test }) => [
    infoOf(`history${id}`, dataset.windows[0].startMs, startMs, history),
    infoOf(`held-out${id}`, startMs, endMs, test),
  ]);
  for (const [index, { numSessions, id }] of windows.entries()) {
    if (numSessions > 0) continue;
    const what = index % 2 === 0 ? 'nothing to train on' : 'no event to ask for';
    throw new Error(`planEvaluation: ${policy.policy} leaves ${what} in ${id}; choose other bounds`);
  }
  const steps: EvaluationStep[] = parts.map((_, p) => ({
    trainWindows: [2 * p],
    evaluateWindow: 2 * p + 1,
    carryWeights: false,
  }));
  return {
    plan: { steps, skipped: [], onlyLast: true },
    dataset: {
      numRawItems: dataset.numRawItems,
      hasTimes: dataset.hasTimes,
      texts: dataset.texts,
      rawItemId: (code) => dataset.rawItemId(code),
      itemCode: (rawId) => dataset.itemCode(rawId),
      windows,
      async read(windowIndex, split) {
        assertWindowIndex(windowIndex, windows);
        const part = parts[windowIndex >> 1];
        const isHistory = windowIndex % 2 === 0;
        if (isHistory !== (split === 'train')) {
          throw new Error(
            `read: ${windows[windowIndex].id} is ${isHistory ? 'only trained on' : 'never trained on'}, but its '${split}' was asked for`,
          );
        }
        return isHistory ? part.history : part[split as Exclude<SplitName, 'train'>];
      },
    },
  };
}

interface HeldOutPart {
  /** '' when there is only one. */
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly history: Sessions;
  readonly valid: Sessions;
  readonly test: Sessions;
}

function holdOut(
  sessions: Sessions,
  policy: HeldOutPolicy,
  dataset: WindowedDataset,
  { timeZone, split }: PlanEvaluationOptions,
): HeldOutPart[] {
  const [{ startMs: firstMs }] = dataset.windows;
  const lastMs = sessions.timestampsMs.reduce((last, time) => Math.max(last, time), firstMs);
  if (policy.policy === 'leaveOneOut' || policy.policy === 'lastN') {
    const { train, valid, test } = leaveLast(sessions, policy.policy === 'lastN' ? policy.numTargets : 1);
    return [{ id: '', startMs: firstMs, endMs: lastMs + 1, history: train, valid, test }];
  }
  if (!dataset.hasTimes) {
    throw new Error(
      `planEvaluation: ${policy.policy} cuts by time, but the log has none (dataset.columns.timestamp); take leaveOneOut or lastN`,
    );
  }
  const calendar = createCalendar(timeZone);
  if (policy.policy === 'globalTime') {
    const instant = (bound: string | number, name: string) =>
      typeof bound === 'number' ? timeAtShare(sessions, bound) : instantOf(bound, name, calendar);
    const validMs = instant(policy.validFrom, 'validFrom');
    const testMs = instant(policy.testFrom, 'testFrom');
    if (!(validMs < testMs)) {
      throw new Error(
        `planEvaluation: globalTime: validFrom (${new Date(validMs).toISOString()}) must come before testFrom (${new Date(testMs).toISOString()})`,
      );
    }
    const between = (from: number, to: number) => targetsBetween(sessions, from, to, policy.targets);
    const history = eventsBefore(sessions, validMs);
    const [valid, test] = [between(validMs, testMs), between(testMs, Number.POSITIVE_INFINITY)];
    if (countSessions(valid) === 0) {
      throw new Error('planEvaluation: globalTime leaves no event to ask for between validFrom and testFrom');
    }
    return [{ id: '', startMs: validMs, endMs: lastMs + 1, history, valid, test }];
  }
  const [, ...folds] = planFolds({ firstMs, lastMs }, policy, calendar);
  return folds.map(({ id, startMs, endMs }) => ({
    id: ` ${id}`,
    startMs,
    endMs,
    history: eventsBefore(sessions, startMs),
    ...divide(targetsBetween(sessions, startMs, endMs, policy.targets as TargetsAfterCut), split),
  }));
}

/** The time of the event that has the given share of all events before it. */
function timeAtShare({ timestampsMs }: Sessions, share: number): number {
  const sorted = timestampsMs.slice().sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** All targets of a sequence on the same side. */
function divide(sessions: Sessions, split: SplitOptions = {}): { valid: Sessions; test: Sessions } {
  const keys = sessions.sessionKeys ?? Int32Array.from({ length: countSessions(sessions) }, (_, s) => s);
  const valid: number[] = [];
  const test: number[] = [];
  for (const [s, key] of keys.entries()) (isValidKey(key, split) ? valid : test).push(s);
  return { valid: takeSessions(sessions, valid), test: takeSessions(sessions, test) };
}

function infoOf(id: string, startMs: number, endMs: number, sessions: Sessions = emptySessions()): WindowInfo {
  return { id, startMs, endMs, numSessions: countSessions(sessions), numEvents: sessions.itemCodes.length };
}
