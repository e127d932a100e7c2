import type { Sessions, WindowedDataset } from '@nimue/data';
import { z } from 'zod';
import { textCodes } from './seen-values.ts';

/** `evaluation.targets`: only events of some type are asked for, such as purchases after clicks. */
export const targetEventsSchema = z.strictObject({
  column: z.string().min(1).describe('Column of the log, as text.'),
  is: z.array(z.string()).min(1).describe('Its values that are asked for.'),
});

export type TargetEvents = z.output<typeof targetEventsSchema>;

/**
 * Whether an event of the sessions is of the type that is asked for.
 *
 * @throws when the log has none of the values: a spelling, more often than not
 */
export function targetEventsOf(
  sessions: Sessions,
  { column, is }: TargetEvents,
  texts: WindowedDataset['texts'],
): (event: number) => boolean {
  const codes = textCodes(sessions, column);
  const values = texts[column] ?? [];
  const wanted = new Set(is.flatMap((value) => (values.includes(value) ? [values.indexOf(value)] : [])));
  const absent = is.find((value) => !values.includes(value));
  if (absent !== undefined) {
    const there = values.slice(0, 8).map((value) => `'${value}'`);
    throw new Error(
      `evaluation.targets.is: column '${column}' never has the value '${absent}'; it has ${there.join(', ') || 'none'}${values.length > 8 ? ' …' : ''}`,
    );
  }
  return (event) => wanted.has(codes[event]);
}
