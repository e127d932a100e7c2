import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, openEngine, sqlName, sqlText } from './engine.ts';
import { detectTimeUnit, MS_PER_UNIT } from './time-unit.ts';

/** Which columns of a file of sessions are what. */
export interface SessionColumns {
  /** What tells one session, or user, from another. */
  readonly session: string;
  /** Raw item ids: one per row, or a list of all of a session's. */
  readonly item: string;
  /** Times of the events; without it the order of the rows is that of the events. */
  readonly timestamp?: string;
  /** Further columns that go along, one value per event; in a file of lists also one per session. */
  readonly others?: readonly string[];
}

/** A session as the file has it, oldest event first. */
export interface ReadSession {
  readonly id: string;
  readonly items: readonly string[];
  readonly timestampsMs?: readonly number[];
  readonly columns?: Readonly<Record<string, readonly (number | string | null)[]>>;
}

/**
 * Reads sessions to be continued from a Parquet, CSV or TSV file, one after another: rows of events in any order, which are
 * sorted outside of memory where they are many, or a row per session with lists (in the order of the file).
 *
 * @throws when the file cannot be read, a column is missing, a cell is empty, or times are in no plausible unit
 */
export async function* readSessions(file: string, columns: SessionColumns): AsyncGenerator<ReadSession> {
  const engine = await openEngine({ spillDirectory: join(tmpdir(), `nimue-sort-${process.pid}`) });
  try {
    const relation = /\.(parquet|pq)$/i.test(file)
      ? `read_parquet(${sqlText(file)})`
      : `read_csv(${sqlText(file)}, header = true)`;
    const types = await typesOf(engine, file, relation);
    const { session, item, timestamp, others = [] } = columns;
    for (const name of [session, item, ...(timestamp === undefined ? [] : [timestamp]), ...others]) {
      if (types.has(name)) continue;
      throw new Error(`${file}: expected a column '${name}', got ${[...types.keys()].map((n) => `'${n}'`).join(', ')}`);
    }
    const isList = (name: string) => types.get(name)?.endsWith('[]') === true;
    const hasLists = isList(item);
    const each = (name: string) => (hasLists && isList(name) ? `unnest(${sqlName(name)})` : sqlName(name));
    const picked = [
      `CAST(${sqlName(session)} AS VARCHAR) AS s`,
      `CAST(${each(item)} AS VARCHAR) AS i`,
      `${timestamp === undefined ? 'NULL' : timeSql(types.get(timestamp) ?? '', each(timestamp))} AS t`,
      ...others.map((name, c) => `${each(name)} AS c${c}`),
      'n',
    ];
    const numbered = `(SELECT *, row_number() OVER () AS n FROM ${relation})`;
    const order = hasLists ? '' : ' ORDER BY s, t, n';
    const sql = `SELECT * FROM (SELECT ${picked.join(', ')} FROM ${numbered})${order}`;
    yield* grouped(engine, sql, { file, hasTimes: timestamp !== undefined, others, byRow: hasLists });
  } finally {
    engine.close();
  }
}

async function typesOf(engine: Engine, file: string, relation: string): Promise<Map<string, string>> {
  const described = await engine.rows(`DESCRIBE SELECT * FROM ${relation}`).catch((error: Error) => {
    throw new Error(`${file}: cannot be read: ${error.message.split('\n')[0]}`);
  });
  return new Map(described.map((row) => [String(row.column_name), String(row.column_type)]));
}

/** Numbers as they are, dates as milliseconds. */
function timeSql(type: string, column: string): string {
  const isDate = /^(TIMESTAMP|DATE)/.test(type);
  return isDate ? `epoch_us(CAST(${column} AS TIMESTAMP)) / 1000.0` : `CAST(${column} AS DOUBLE)`;
}

async function* grouped(
  engine: Engine,
  sql: string,
  { file, hasTimes, others, byRow }: { file: string; hasTimes: boolean; others: readonly string[]; byRow: boolean },
): AsyncGenerator<ReadSession> {
  let msPerUnit: number | undefined;
  let key: unknown;
  let open: { id: string; items: string[]; times: number[]; cells: (number | string | null)[][] } | undefined;
  const finish = (): ReadSession[] => {
    if (!open) return [];
    const { id, items, times, cells } = open;
    const columns = Object.fromEntries(others.map((name, c) => [name, cells[c]]));
    return [{ id, items, ...(hasTimes && { timestampsMs: times }), ...(others.length > 0 && { columns }) }];
  };
  for await (const chunk of engine.stream(sql)) {
    const [ids, items, times] = [0, 1, 2].map((c) => chunk.getColumnValues(c));
    const rows = chunk.getColumnValues(3 + others.length);
    const cells = others.map((_, c) => chunk.getColumnValues(3 + c));
    for (let row = 0; row < chunk.rowCount; row++) {
      if (ids[row] === null || items[row] === null || (hasTimes && times[row] === null)) {
        throw new Error(`${file}: a row has no session, item or time; leave it out`);
      }
      const now = byRow ? rows[row] : ids[row];
      if (!open || now !== key) {
        yield* finish();
        key = now;
        open = { id: String(ids[row]), items: [], times: [], cells: others.map(() => []) };
      }
      open.items.push(String(items[row]));
      if (hasTimes) {
        const time = Number(times[row]);
        msPerUnit ??= MS_PER_UNIT[detectTimeUnit(time, time) ?? unitless(file, time)];
        open.times.push(time * msPerUnit);
      }
      for (const [c, column] of open.cells.entries()) column.push(cellOf(cells[c][row]));
    }
  }
  yield* finish();
}

function unitless(file: string, time: number): never {
  throw new Error(`${file}: the time ${time} is between 1990 and 2100 in no unit (s, ms, us, ns)`);
}

function cellOf(value: unknown): number | string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : String(value);
}
