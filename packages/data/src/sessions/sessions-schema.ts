import { z } from 'zod';

const sessionsShape = z.strictObject({
  by: z
    .enum(['session', 'user'])
    .default('session')
    .describe('`session`: by the given session ids. `user`: a session ends after an inactivity gap.'),
  gapMinutes: z
    .union([z.number().positive(), z.literal('none')])
    .default(30)
    .describe(
      "Longest pause within a session, in minutes (by `user` only); `none`: a user's whole history is one sequence.",
    ),
  eventTypes: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe(
      "Only events of these types count (the log's column `event`); all others are left out before anything else.",
    ),
  eventWeights: z
    .record(z.string().min(1), z.number().min(0))
    .optional()
    .describe(
      "How much an event counts by its type (the log's column `event`), such as { view: 1, purchase: 5 }: as a target of a ranking loss, and for models that count. Every type that is left by `eventTypes` needs one; with 0 an event is seen but never a target.",
    ),
  minItemEvents: z.int().min(1).default(1).describe('Items with fewer events are left out.'),
  minKeyEvents: z
    .int()
    .min(1)
    .default(1)
    .describe('Users, or sessions when `by: session`, with fewer events are left out, before they are cut at pauses.'),
  supportPasses: z
    .enum(['once', 'iterated'])
    .default('once')
    .describe(
      '`once`: rare items are left out, then rare users or sessions, and what that makes rare stays. `iterated`: until nothing is rare any more (the k-core). Both count over all windows that are prepared: a fact about the future that papers allow themselves.',
    ),
  minLength: z.int().min(1).default(2).describe('Sessions with fewer events are left out.'),
  maxLength: z.int().min(1).optional().describe('Longer sessions keep their newest events only.'),
  sample: z
    .strictObject({
      numSessions: z.int().min(1).describe('So many sessions, or all where there are fewer.'),
      seed: z.int().min(0).default(0).describe('Another seed draws others.'),
    })
    .optional()
    .describe(
      'Only some sessions, drawn at random from all that are left in the windows that are prepared: a large log in small. Every session is as likely as any other.',
    ),
  dropConsecutiveRepeats: z.boolean().default(false).describe('The same item twice in a row counts once.'),
});

/** The `sessions` section of an experiment file. */
export const sessionsSchema = sessionsShape.superRefine(({ eventTypes, eventWeights }, context) => {
  if (!eventWeights) return;
  const refuse = (path: string[], message: string) =>
    context.addIssue({ code: 'custom', path: ['eventWeights', ...path], message });
  const weights = Object.entries(eventWeights);
  if (!weights.some(([, weight]) => weight > 0)) refuse([], 'every weight is 0; expected one above it');
  for (const [type] of weights) {
    if (!eventTypes || eventTypes.includes(type)) continue;
    refuse([type], `events of type '${type}' are left out by eventTypes (${eventTypes.join(', ')}); remove its weight`);
  }
});

export type SessionsConfig = z.output<typeof sessionsSchema>;
export type SessionsInput = z.input<typeof sessionsSchema>;
