import { z } from 'zod';

/** The `sessions` section of an experiment file. */
export const sessionsSchema = z.strictObject({
  /** `session`: by the given session ids. `user`: a session ends after an inactivity gap. */
  by: z.enum(['session', 'user']).default('session'),
  /** Longest pause within a session, in minutes (by `user` only). */
  gapMinutes: z.number().positive().default(30),
  /** Sessions with fewer events are left out. */
  minLength: z.int().min(1).default(2),
  /** Longer sessions keep their newest events only. */
  maxLength: z.int().min(1).optional(),
  /** The same item twice in a row counts once. */
  dropConsecutiveRepeats: z.boolean().default(false),
});

export type SessionsConfig = z.output<typeof sessionsSchema>;
export type SessionsInput = z.input<typeof sessionsSchema>;
