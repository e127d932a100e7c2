import { didYouMean } from './did-you-mean.ts';
import { type Engine, sqlText } from './engine.ts';

/** How often something must occur to stay in the log. */
export interface SupportLimits {
  readonly minItemEvents: number;
  /** Of a user, or of a session. */
  readonly minKeyEvents: number;
  /** `once`: items, then keys. `iterated`: until nothing is rare any more (the k-core). */
  readonly supportPasses: 'once' | 'iterated';
}

/**
 * Removes the events of rare items and keys from the engine's table `events` (columns k, i); the engine counts, so memory
 * does not grow with the log.
 *
 * @returns how many events were removed
 * @throws when nothing is left
 */
export async function dropRareEvents(engine: Engine, limits: SupportLimits): Promise<number> {
  const before = await countEvents(engine);
  let left = before;
  for (;;) {
    await dropRare(engine, 'i', limits.minItemEvents);
    await dropRare(engine, 'k', limits.minKeyEvents);
    const now = await countEvents(engine);
    assertAnyLeft(before, now, limits);
    if (limits.supportPasses === 'once' || now === left) return before - now;
    left = now;
  }
}

/** How many events are of which type, in the engine's table `events` (column e); those without one are not among them. */
export async function countEventTypes(engine: Engine): Promise<Record<string, number>> {
  const rows = await engine.rows('SELECT e, count(*) AS n FROM events WHERE e IS NOT NULL GROUP BY e');
  return Object.fromEntries(rows.map(({ e, n }) => [String(e), Number(n)]));
}

/** Types of events that an experiment names. */
export interface NamedTypes {
  readonly eventTypes?: readonly string[];
  readonly eventWeights?: Readonly<Record<string, number>>;
}

/**
 * @param counts events of every type in the log
 * @throws listing the most frequent types, when one that is named does not occur, or one that is left has no weight
 */
export function assertTypes(
  counts: Readonly<Record<string, number>>,
  { eventTypes, eventWeights }: NamedTypes,
  label: string,
): void {
  const found = Object.keys(counts).sort((a, b) => counts[b] - counts[a] || (a < b ? -1 : 1));
  const assertOccurs = (option: string, type: string) => {
    if (Object.hasOwn(counts, type)) return;
    throw new Error(
      `sessions.${option}: ${label} has no event of type '${type}'; its types are ${found.slice(0, 50).join(', ')}${didYouMean(type, found)}`,
    );
  };
  for (const type of eventTypes ?? []) assertOccurs('eventTypes', type);
  if (!eventWeights) return;
  for (const type of Object.keys(eventWeights)) assertOccurs('eventWeights', type);
  const weightless = found.find((type) => (eventTypes?.includes(type) ?? true) && !Object.hasOwn(eventWeights, type));
  if (weightless === undefined) return;
  throw new Error(
    `sessions.eventWeights: ${label} has ${counts[weightless]} events of type '${weightless}', which has no weight; give it one, ` +
      'or leave them out with sessions.eventTypes',
  );
}

/** @returns how many events were removed */
export async function dropOtherTypes(engine: Engine, types: readonly string[]): Promise<number> {
  const before = await countEvents(engine);
  await engine.run(`DELETE FROM events WHERE e IS NULL OR e NOT IN (${types.map(sqlText).join(', ')})`);
  return before - (await countEvents(engine));
}

/** Whether anything can be too rare. */
export function hasLimits(limits: SupportLimits | undefined): limits is SupportLimits {
  return limits !== undefined && (limits.minItemEvents > 1 || limits.minKeyEvents > 1);
}

/** @throws when there was something and nothing is left */
export function assertAnyLeft(before: number, now: number, limits: SupportLimits): void {
  if (now > 0 || before === 0) return;
  throw new Error(
    `sessions: no event is left: every item has fewer than ${limits.minItemEvents} events (minItemEvents) or every user ` +
      `or session fewer than ${limits.minKeyEvents} (minKeyEvents); lower them`,
  );
}

/** Removes the events of items (column i) or keys (k) that have fewer. */
export async function dropRare(engine: Engine, column: 'i' | 'k', minEvents: number): Promise<void> {
  if (minEvents <= 1) return;
  const rare = `SELECT ${column} FROM events GROUP BY ${column} HAVING count(*) < ${minEvents}`;
  await engine.run(`DELETE FROM events WHERE ${column} IN (${rare})`);
}

export async function countEvents(engine: Engine): Promise<number> {
  const [{ n }] = await engine.rows('SELECT count(*) AS n FROM events');
  return Number(n);
}
