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
    if (now === 0 && before > 0) {
      throw new Error(
        `sessions: no event is left: every item has fewer than ${limits.minItemEvents} events (minItemEvents) or every user ` +
          `or session fewer than ${limits.minKeyEvents} (minKeyEvents); lower them`,
      );
    }
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
  const rows = await engine.rows('SELECT e, count(*) AS n FROM events GROUP BY e ORDER BY n DESC, e LIMIT 50');
  const found = rows.map(({ e }) => String(e));
  const absent = types.find((type) => !found.includes(type));
  if (absent !== undefined) {
    throw new Error(
      `sessions.eventTypes: ${label} has no event of type '${absent}'; its types are ${found.join(', ')}`,
    );
  }
  const before = await countEvents(engine);
  await engine.run(`DELETE FROM events WHERE e IS NULL OR e NOT IN (${types.map(sqlText).join(', ')})`);
  return before - (await countEvents(engine));
}

async function dropRare(engine: Engine, column: 'i' | 'k', minEvents: number): Promise<void> {
  if (minEvents <= 1) return;
  const rare = `SELECT ${column} FROM events GROUP BY ${column} HAVING count(*) < ${minEvents}`;
  await engine.run(`DELETE FROM events WHERE ${column} IN (${rare})`);
}

async function countEvents(engine: Engine): Promise<number> {
  const [{ n }] = await engine.rows('SELECT count(*) AS n FROM events');
  return Number(n);
}
