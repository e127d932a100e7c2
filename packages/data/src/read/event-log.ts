import { join } from 'node:path';
import type { EventChunk } from '../sessions/sessionizer.ts';
import type { FilesDataset } from './dataset-schema.ts';
import { type Engine, openEngine, rawDoubles, rawInts } from './engine.ts';
import { assertNothingMissing, countMissing, type MissingCounts } from './missing-cells.ts';
import { assertColumns, explainReadError, openSource, presentOrNull, type Source } from './open-source.ts';
import { readTimeColumn, type TimeColumn } from './time-column.ts';
import { assertPlausibleTimes } from './time-unit.ts';

export interface EventLogOptions {
  /** What the events are grouped by. */
  readonly by: 'session' | 'user';
  /** Longest pause within a session of a user, in minutes. Default 30. */
  readonly gapMinutes?: number;
  /** An empty folder for the engine's tables and for unpacked files; the caller removes it. */
  readonly temporaryDirectory: string;
  /** Such as `500MB`; what does not fit goes to the temporary folder. Default `1GB`. */
  readonly memoryLimit?: string;
  readonly threads?: number;
}

/** Which sessions are wanted, by their start. */
export interface StartRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What `EventLog.select` found. */
export interface SelectedEvents {
  readonly numEvents: number;
  /** Sessions, or users when grouped by user. */
  readonly numKeys: number;
  readonly numItems: number;
  /** Events left out because a cell is missing (`onMissing: drop`). */
  readonly missing: MissingCounts;
}

/** An event log, read by the engine; memory does not grow with it. Close it. */
export interface EventLog {
  /** First and last session start, or first and last event where the log does not state session starts. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Loads the events of all sessions that start in the range, or of all sessions. */
  select(range?: StartRange): Promise<SelectedEvents>;
  /**
   * The selected events ordered by key, time, and, where times are equal, by their order in the log. Keys and items are
   * codes: keys in no particular order, items in order of first appearance in time (equal times: by raw id).
   */
  events(): AsyncGenerator<EventChunk>;
  /** Raw session or user ids by key, chunk by chunk. */
  keys(): AsyncGenerator<string[]>;
  /** Raw item ids by code. */
  itemIds(): Promise<string[]>;
  close(): void;
}

/**
 * Opens a log of events in CSV, TSV or Parquet files.
 *
 * @throws when a file or column is missing, the log is empty, or its times are in the wrong unit
 *
 * @example
 * const log = await openEventLog(dataset, { by: 'session', temporaryDirectory });
 * await log.select();
 * for await (const chunk of log.events()) sessionizer.push(chunk);
 * log.close();
 */
export async function openEventLog(dataset: FilesDataset, options: EventLogOptions): Promise<EventLog> {
  const engine = await openEngine({
    databaseFile: join(options.temporaryDirectory, 'engine.duckdb'),
    spillDirectory: join(options.temporaryDirectory, 'spill'),
    memoryLimit: options.memoryLimit,
    threads: options.threads,
  });
  try {
    const keyName = keyColumn(dataset, options.by);
    const source = await openSource(engine, dataset, options.temporaryDirectory);
    assertColumns(source, dataset.columns);
    const time = await readTimeColumn(engine, source, dataset.columns.timestamp, dataset.timeUnit);
    const { sessionStart } = dataset.columns;
    const start =
      sessionStart === undefined ? undefined : await readTimeColumn(engine, source, sessionStart, dataset.timeUnit);
    const log = new DuckDbEventLog(engine, source, dataset, options, keyName, time, start);
    await log.open();
    return log;
  } catch (error) {
    engine.close();
    throw error;
  }
}

function keyColumn(dataset: FilesDataset, by: 'session' | 'user'): string {
  const name = dataset.columns[by];
  if (name === undefined) {
    const other = by === 'session' ? 'user' : 'session';
    throw new Error(
      `dataset.columns.${by}: missing, but sessions.by is '${by}'; name the column, or set sessions.by to '${other}'`,
    );
  }
  if (by === 'user' && dataset.columns.sessionStart !== undefined) {
    throw new Error(
      "dataset.columns.sessionStart: only for sessions.by 'session'; a user's session starts with its first event",
    );
  }
  return name;
}

class DuckDbEventLog implements EventLog {
  firstMs = Number.NaN;
  lastMs = Number.NaN;
  readonly #engine: Engine;
  readonly #source: Source;
  readonly #dataset: FilesDataset;
  readonly #options: EventLogOptions;
  readonly #time: TimeColumn;
  readonly #start: TimeColumn | undefined;
  /** Columns k (key), i (item), t (time), s (stated session start) of the source. */
  readonly #select: string;

  constructor(
    engine: Engine,
    source: Source,
    dataset: FilesDataset,
    options: EventLogOptions,
    keyName: string,
    time: TimeColumn,
    start: TimeColumn | undefined,
  ) {
    this.#engine = engine;
    this.#source = source;
    this.#dataset = dataset;
    this.#options = options;
    this.#time = time;
    this.#start = start;
    const startSql = start ? `, coalesce(${start.sql}, ${time.sql}) AS s` : '';
    const item = presentOrNull(source, dataset.columns.item);
    this.#select = `SELECT ${presentOrNull(source, keyName)} AS k, ${item} AS i, ${time.sql} AS t${startSql} FROM ${source.relation()}`;
  }

  async open(): Promise<void> {
    const start = this.#start ? 's' : 't';
    let from = `(${this.#select})`;
    if (this.#source.isText) {
      await this.#read(`CREATE TABLE loaded AS ${this.#select}`);
      from = 'loaded';
    }
    const [range] = await this.#rows(
      `SELECT count(*) AS n, min(t) AS first, max(t) AS last, min(${start}) AS "firstStart", max(${start}) AS "lastStart" FROM ${from}`,
    );
    if (Number(range.n) === 0) throw new Error(`${this.#source.label}: the log is empty; expected at least one event`);
    if (range.first === null) {
      await assertNothingMissing(this.#engine, this.#source, this.#dataset, this.#options.by, this.#time);
    }
    const where = `${this.#source.label}, column '${this.#time.name}'`;
    assertPlausibleTimes(where, Number(range.first), Number(range.last), this.#time.unit);
    if (this.#start) {
      const startWhere = `${this.#source.label}, column '${this.#start.name}'`;
      assertPlausibleTimes(startWhere, Number(range.firstStart), Number(range.lastStart), this.#start.unit);
    }
    this.firstMs = Number(range.firstStart);
    this.lastMs = Number(range.lastStart);
  }

  async select(range?: StartRange): Promise<SelectedEvents> {
    const engine = this.#engine;
    const gapMs = (this.#options.gapMinutes ?? 30) * 60_000;
    const from = this.#source.isText ? 'SELECT * FROM loaded' : this.#select;
    let filter = '';
    let wantedKeys = '';
    if (range && this.#start) {
      const inRange = this.#source.isText
        ? `(s >= ${range.fromMs} AND s < ${range.toMs})`
        : this.#start.between(range.fromMs, range.toMs);
      filter = ` WHERE ${inRange} OR ${this.#source.isText ? 's' : this.#start.sql} IS NULL`;
    } else if (range && this.#options.by === 'user') {
      // A session is cut by the pause before it, so nothing older than one pause matters.
      filter = ` WHERE t >= ${range.fromMs - gapMs} OR t IS NULL`;
      wantedKeys = ` HAVING count(*) FILTER (t >= ${range.fromMs} AND t < ${range.toMs}) > 0`;
    } else if (range) wantedKeys = ` HAVING min(t) >= ${range.fromMs} AND min(t) < ${range.toMs}`;
    const isDirect = this.#start !== undefined || !range;
    await this.#read(
      `CREATE OR REPLACE TABLE events AS ${isDirect ? from + filter : `SELECT * FROM (${from})${filter}`}`,
    );
    if (this.#source.isText) await engine.run('DROP TABLE loaded');

    const missing = await countMissing(engine);
    if (missing.numEvents > 0) {
      if (this.#dataset.onMissing === 'error') {
        await assertNothingMissing(engine, this.#source, this.#dataset, this.#options.by, this.#time);
      }
      await engine.run('DELETE FROM events WHERE k IS NULL OR i IS NULL OR t IS NULL');
    }
    await engine.run(
      `CREATE OR REPLACE TABLE keys AS SELECT k, CAST(row_number() OVER () - 1 AS INTEGER) AS code FROM (SELECT k FROM events GROUP BY k${wantedKeys})`,
    );
    const wanted = wantedKeys ? ' WHERE k IN (SELECT k FROM keys)' : '';
    await engine.run(
      'CREATE OR REPLACE TABLE items AS SELECT i, CAST(row_number() OVER (ORDER BY first, i) - 1 AS INTEGER) AS code ' +
        `FROM (SELECT i, min(t) AS first FROM events${wanted} GROUP BY i)`,
    );
    const [counts] = await engine.rows(
      `SELECT (SELECT count(*) FROM events${wanted}) AS events, (SELECT count(*) FROM keys) AS keys, (SELECT count(*) FROM items) AS items`,
    );
    await this.#assertExactIds();
    return { numEvents: Number(counts.events), numKeys: Number(counts.keys), numItems: Number(counts.items), missing };
  }

  async *events(): AsyncGenerator<EventChunk> {
    const start = this.#start ? ', e.s' : '';
    const sql =
      `SELECT keys.code, e.t, items.code${start} FROM events e JOIN keys ON e.k = keys.k JOIN items ON e.i = items.i ` +
      'ORDER BY keys.code, e.t, e.rowid';
    for await (const chunk of this.#engine.stream(sql)) {
      yield {
        length: chunk.rowCount,
        keys: rawInts(chunk.getColumnVector(0)),
        timestampsMs: rawDoubles(chunk.getColumnVector(1)),
        itemCodes: rawInts(chunk.getColumnVector(2)),
        ...(this.#start && { startsMs: rawDoubles(chunk.getColumnVector(3)) }),
      };
    }
  }

  async *keys(): AsyncGenerator<string[]> {
    for await (const chunk of this.#engine.stream('SELECT CAST(k AS VARCHAR) FROM keys ORDER BY code')) {
      yield chunk.getColumnValues(0).map(String);
    }
  }

  async itemIds(): Promise<string[]> {
    const ids: string[] = [];
    // 12.0 is 12: a whole-number column with missing cells is often written as floating point.
    const sql = this.#itemIsFloat()
      ? 'CASE WHEN i = trunc(i) THEN CAST(CAST(i AS BIGINT) AS VARCHAR) ELSE CAST(i AS VARCHAR) END'
      : 'CAST(i AS VARCHAR)';
    for await (const chunk of this.#engine.stream(`SELECT ${sql} FROM items ORDER BY code`)) {
      for (const id of chunk.getColumnValues(0)) ids.push(String(id));
    }
    return ids;
  }

  close(): void {
    this.#engine.close();
  }

  #itemIsFloat(): boolean {
    return /^(DOUBLE|FLOAT)$/.test(this.#source.types.get(this.#dataset.columns.item) ?? '');
  }

  async #assertExactIds(): Promise<void> {
    if (!this.#itemIsFloat()) return;
    const [row] = await this.#engine.rows('SELECT count(*) AS n FROM items WHERE abs(i) > 9007199254740992');
    if (Number(row.n) > 0) {
      throw new Error(
        `${this.#source.label}: column '${this.#dataset.columns.item}' holds ids as floating point, and ${row.n} of them are beyond 2^53, ` +
          'where different ids become equal; write the column as whole numbers or text',
      );
    }
  }

  async #read(sql: string): Promise<void> {
    await this.#engine.run(sql).catch((error: unknown) => {
      throw explainReadError(error, this.#source);
    });
  }

  async #rows(sql: string): Promise<Record<string, unknown>[]> {
    return this.#engine.rows(sql).catch((error: unknown) => {
      throw explainReadError(error, this.#source);
    });
  }
}
