import { z } from 'zod';
import { durationSchema } from './windows-schema.ts';

/** The log is not cut into windows: a part of every sequence is held out instead. */
const wholeLog = z.literal('all');

const instant = z.union([z.string().min(1), z.number().gt(0).lt(1)], {
  error: 'expected a date such as 2003-01-31, or the share of all events that lie before it, such as 0.8',
});

/** Which of the events after the cut are asked for; each with everything before it visible. */
const targets = z.enum(['all', 'first', 'last']).default('all');

/** Policies that hold out the end of every sequence, or what happened after an instant. */
export const heldOutSchemas = [
  z.strictObject({ policy: z.literal('leaveOneOut'), span: wholeLog.default('all') }),
  z.strictObject({
    policy: z.literal('lastN'),
    span: wholeLog.default('all'),
    /** The last so many events are test targets, as many before them validation targets. */
    numTargets: z.int().min(1),
  }),
  z.strictObject({
    policy: z.literal('globalTime'),
    span: wholeLog.default('all'),
    /** First instant that is not trained on. */
    validFrom: instant,
    /** First instant of the test. */
    testFrom: instant,
    targets,
  }),
  z.strictObject({
    policy: z.literal('timeRange'),
    span: wholeLog.default('all'),
    /** Length of a fold, such as `7d`; the folds end with the last day of the log. */
    testSize: durationSchema,
    numFolds: z.int().min(1),
    targets,
  }),
] as const;

export type HeldOutPolicy = z.output<(typeof heldOutSchemas)[number]>;
