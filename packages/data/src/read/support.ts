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

/**
 * Keeps the events of some types in the engine's table `events` (column e).
 *
 * @returns how many events were removed
 * @throws listing the types that occur, when one that is asked for does not
 */
export async function keepEventTypes(engine: Engine, types: readonly string[], label: string): Promise<number> {
  assertTypesOccur(await countEventTypes(engine), types, label);
  return dropOtherTypes(engine, types);
}

/** How many events are of which type. */
export async function countEventTypes(engine: Engine): Promise<Record<string, number>> {
  const rows = await engine.rows('SELECT e, count(*) AS n FROM events GROUP BY e');
  return Object.fromEntries(rows.map(({ e, n }) => [String(e), Number(n)]));
}

/** @throws listing the most frequent types, when one that is asked for does not occur */
export function assertTypesOccur(
  counts: Readonly<Record<string, number>>,
  types: readonly string[],
  label: string,
): void {
  const absent = types.find((type) => !Object.hasOwn(counts, type));
  if (absent === undefined) return;
  const found = Object.keys(counts).sort((a, b) => counts[b] - counts[a] || (a < b ? -1 : 1));
  throw new Error(
    `sessions.eventTypes: ${label} has no event of type '${absent}'; its types are ${found.slice(0, 50).join(', ')}`,
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
