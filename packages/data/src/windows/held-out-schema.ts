import { z } from 'zod';
import { durationSchema } from './windows-schema.ts';

/** The log is not cut into windows: a part of every sequence is held out instead. */
const wholeLog = z.literal('all');

const instant = z.union([z.string().min(1), z.number().gt(0).lt(1)], {
  error: 'expected a date such as 2003-01-31, or the share of all events that lie before it, such as 0.8',
});

/** Which of the events after the cut are asked for; each with everything before it visible. */
const targets = z
  .enum(['all', 'first', 'last'])
  .default('all')
  .describe('Which of the events after the cut are asked for; each with everything before it visible.');

/** Policies that hold out the end of every sequence, or what happened after an instant. */
export const heldOutSchemas = [
  z.strictObject({
    policy: z.literal('leaveOneOut'),
    span: wholeLog.default('all').describe('The whole log is one window.'),
  }),
  z.strictObject({
    policy: z.literal('lastN'),
    span: wholeLog.default('all').describe('The whole log is one window.'),
    numTargets: z
      .int()
      .min(1)
      .describe('The last so many events are test targets, as many before them validation targets.'),
  }),
  z.strictObject({
    policy: z.literal('globalTime'),
    span: wholeLog.default('all').describe('The whole log is one window.'),
    validFrom: instant.describe('First instant that is not trained on.'),
    testFrom: instant.describe('First instant of the test.'),
    targets,
  }),
  z.strictObject({
    policy: z.literal('timeRange'),
    span: wholeLog.default('all').describe('The whole log is one window.'),
    testSize: durationSchema.describe('Length of a fold, such as `7d`; the folds end with the last day of the log.'),
    numFolds: z.int().min(1).describe('Folds at the end of the log.'),
    targets,
  }),
] as const;

export type HeldOutPolicy = z.output<(typeof heldOutSchemas)[number]>;
