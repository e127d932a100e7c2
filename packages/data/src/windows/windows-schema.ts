import { z } from 'zod';
import { EMPTY_WINDOWS } from './rolling-evaluation.ts';

const DURATION = /^[1-9]\d*[hdwHDW]$/;
const SPANS = "expected hour, day, week, all, such as '12h' or '3d', { cuts: […] } or { testSize: 7d, numFolds: 3 }";

/** Whole hours, days or weeks, such as `12h`, `7d`, `2w`. */
export const durationSchema = z
  .string()
  .regex(DURATION, { error: "expected a whole number of hours, days or weeks, such as '12h', '7d' or '2w'" });

/** The `windows` section of an experiment file. */
export const windowsSchema = z.strictObject({
  span: z.union(
    [
      z.enum(['hour', 'day', 'week', 'all']),
      z.string().regex(DURATION, { error: SPANS }),
      z.strictObject({
        /** Window ids or ISO instants, rising: a window begins at each, and the first one before all of them. */
        cuts: z.array(z.string()).min(1),
      }),
      z.strictObject({
        /** Length of a fold, such as `7d`. */
        testSize: durationSchema,
        /** Folds at the end of the log; all that comes before them is one window. */
        numFolds: z.int().min(1),
      }),
    ],
    { error: SPANS },
  ),
  /** IANA name; its clock decides where a day begins. */
  timeZone: z.string().default('UTC'),
  /** First window: its id (`2017-10-01T03`, `2017-10-01`, `2017-W40`) or an ISO instant in it. */
  first: z.string().optional(),
  /** Last window, included. */
  last: z.string().optional(),
  /** At most this many windows, from the first. */
  count: z.int().min(1).optional(),
});

export type WindowsConfig = z.output<typeof windowsSchema>;
export type WindowsInput = z.input<typeof windowsSchema>;

/** How a window's sessions are divided into valid and test. */
export const splitSchema = z.strictObject({
  /** `user`: all sessions of a user lie on the same side; the log needs a user column. */
  by: z.enum(['session', 'user']).default('session'),
  validShare: z.number().min(0).max(1).default(0.5),
  seed: z.int().min(0).default(0),
});

export type SplitConfig = z.output<typeof splitSchema>;

/** Missing days: see `RollingEvaluationOptions`. */
const emptyWindows = z.enum(EMPTY_WINDOWS).default('skip');
/** Windows of the base period, which is trained on first. */
const baseSize = z.int().min(1).optional();

/** The `windows` section's policy: which windows are trained on before the next one is evaluated. */
export const rollingEvaluationSchema = z.discriminatedUnion('policy', [
  z.strictObject({ policy: z.literal('incremental'), baseSize, emptyWindows }),
  z.strictObject({
    policy: z.literal('replay'),
    baseSize,
    /** Probability with which each session of an older window is trained on again. */
    share: z.number().positive().max(1),
    /** How many windows back older sessions are drawn from; without it, all. */
    lastWindows: z.int().min(1).optional(),
    emptyWindows,
  }),
  z.strictObject({ policy: z.literal('sliding'), size: z.int().min(1), emptyWindows }),
  z.strictObject({ policy: z.literal('expanding'), baseSize, emptyWindows }),
  z.strictObject({ policy: z.literal('frozen'), size: z.int().min(1).default(1), emptyWindows }),
]);
