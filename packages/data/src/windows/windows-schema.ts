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
  span: z
    .union(
      [
        z.enum(['hour', 'day', 'week', 'all']),
        z.string().regex(DURATION, { error: SPANS }),
        z.strictObject({
          cuts: z
            .array(z.string())
            .min(1)
            .describe(
              'Window ids or ISO instants, rising: a window begins at each, and the first one before all of them.',
            ),
        }),
        z.strictObject({
          testSize: durationSchema.describe('Length of a fold, such as `7d`.'),
          numFolds: z.int().min(1).describe('Folds at the end of the log; all that comes before them is one window.'),
        }),
      ],
      { error: SPANS },
    )
    .describe(
      'Length of a window: hour, day, week, such as `12h`; `all`: the whole log; or `cuts`, or folds at its end.',
    ),
  timeZone: z.string().default('UTC').describe('IANA name; its clock decides where a day begins.'),
  first: z
    .string()
    .optional()
    .describe('First window: its id (`2017-10-01T03`, `2017-10-01`, `2017-W40`) or an ISO instant in it.'),
  last: z.string().optional().describe('Last window, included.'),
  count: z.int().min(1).optional().describe('At most this many windows, from the first.'),
});

export type WindowsConfig = z.output<typeof windowsSchema>;
export type WindowsInput = z.input<typeof windowsSchema>;

/** How a window's sessions are divided into valid and test. */
export const splitSchema = z.strictObject({
  by: z
    .enum(['session', 'user'])
    .default('session')
    .describe('`user`: all sessions of a user lie on the same side; the log needs a user column.'),
  validShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Share of the sessions of a window that are its `valid` half.'),
  seed: z.int().min(0).default(0).describe('Another seed divides them otherwise.'),
});

export type SplitConfig = z.output<typeof splitSchema>;

/** Missing days: see `RollingEvaluationOptions`. */
const emptyWindows = z
  .enum(EMPTY_WINDOWS)
  .default('skip')
  .describe(
    'Windows without sessions: `skip` leaves them out; `count` counts them, so that the last 3 days are days of the calendar; `break` does, and asks nothing of the window after one; `error` refuses the log.',
  );
const minSessions = z
  .int()
  .min(1)
  .default(1)
  .describe(
    'A window with fewer sessions is taken for an empty one: an hour of an outage, of which a mean over hours would tell nothing.',
  );
/** Windows of the base period, which is trained on first. */
const baseSize = z.int().min(1).optional().describe('Windows of the base period, which is trained on first.');

/** The `windows` section's policy: which windows are trained on before the next one is evaluated. */
export const rollingEvaluationSchema = z.discriminatedUnion('policy', [
  z.strictObject({ policy: z.literal('incremental'), baseSize, emptyWindows, minSessions }),
  z.strictObject({
    policy: z.literal('replay'),
    baseSize,
    share: z
      .number()
      .positive()
      .max(1)
      .describe('Probability with which each session of an older window is trained on again.'),
    lastWindows: z
      .int()
      .min(1)
      .optional()
      .describe('How many windows back older sessions are drawn from; without it, all.'),
    emptyWindows,
    minSessions,
  }),
  z.strictObject({
    policy: z.literal('sliding'),
    size: z.int().min(1).describe('Windows that are trained on together.'),
    emptyWindows,
    minSessions,
  }),
  z.strictObject({ policy: z.literal('expanding'), baseSize, emptyWindows, minSessions }),
  z.strictObject({
    policy: z.literal('frozen'),
    size: z.int().min(1).default(1).describe('Windows that are trained on together.'),
    emptyWindows,
    minSessions,
  }),
]);
