import { z } from 'zod';

/** The `windows` section of an experiment file. */
export const windowsSchema = z.strictObject({
  span: z.enum(['hour', 'day', 'week']),
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
  validShare: z.number().min(0).max(1).default(0.5),
  seed: z.int().min(0).default(0),
});

export type SplitConfig = z.output<typeof splitSchema>;

/** The `evaluation` section's policy: which windows are trained on before the next one is evaluated. */
export const rollingEvaluationSchema = z.discriminatedUnion('policy', [
  z.strictObject({ policy: z.literal('incremental'), emptyWindows: z.enum(['skip', 'error']).default('skip') }),
  z.strictObject({
    policy: z.literal('sliding'),
    size: z.int().min(1),
    emptyWindows: z.enum(['skip', 'error']).default('skip'),
  }),
  z.strictObject({ policy: z.literal('expanding'), emptyWindows: z.enum(['skip', 'error']).default('skip') }),
  z.strictObject({
    policy: z.literal('frozen'),
    size: z.int().min(1).default(1),
    emptyWindows: z.enum(['skip', 'error']).default('skip'),
  }),
]);
