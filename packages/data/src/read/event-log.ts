import { join } from 'node:path';
import type { EventChunk } from '../sessions/sessionizer.ts';
import type { FilesDataset } from './dataset-schema.ts';
import { type Engine, openEngine, rawDoubles, rawInts } from './engine.ts';
import { assertNothingMissing, countMissing, IS_INCOMPLETE, type MissingCounts } from './missing-cells.ts';
import { assertColumns, explainReadError, openSource, orderSql, presentOrNull, type Source } from './open-source.ts';
import { dropRareEvents, keepEventTypes, type SupportLimits } from './support.ts';
import { readTimeColumn, type TimeColumn } from './time-column.ts';
import { assertPlausibleTimes } from './time-unit.ts';

export interface EventLogOptions {
  /** What the events are grouped by. */
  readonly by: 'session' | 'user';
  /** Longest pause within a session of a user, in minutes. Default 30. */
  readonly gapMinutes?: number | 'none';
  /** Only events of these types. Default: all. */
  readonly eventTypes?: readonly string[];
  /** What is too rare is left out (`minItemEvents`, `minKeyEvents`). Default: nothing. */
  readonly support?: SupportLimits;
  /** Also say whose each session is (`keys`). */
  readonly withUsers?: boolean;
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
  /** Events left out because of their type. */
  readonly numOtherTypeEvents: number;
  /** Events left out because their item, user or session is too rare. */
  readonly numRareEvents: number;
}

/** What a key stands for. */
export interface KeyIds {
  /** The session's or user's raw id. */
  readonly id: string;
  /** The user's raw id, when asked for; the least one when a session has events of several. */
  readonly user?: string;
}

/** An event log, read by the engine; memory does not grow with it. Close it. */
export interface EventLog {
  /** False for a log that has an order but no times: events then carry their places 0, 1, 2 … in their key for times. */
  readonly hasTimes: boolean;
  /** First and last session start, or first and last event where the log does not state session starts. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Loads the events of all sessions that start in the range, or of all sessions. */
  select(range?: StartRange): Promise<SelectedEvents>;
  /**
   * The selected events ordered by key, time, and, where times are equal, by the order column and their order in the
   * log. Keys and items are codes: keys in no particular order, items in order of first appearance in time (equal times:
   * by raw id; without times: in the log).
   */
  events(): AsyncGenerator<EventChunk>;
  /** Raw ids by key, chunk by chunk. */
  keys(): AsyncGenerator<KeyIds[]>;
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
    timeZone: dataset.timeZone,
  });
  try {
    const keyName = keyColumn(dataset, options.by);
    if (options.eventTypes && dataset.columns.event === undefined) {
      throw new Error(
        'dataset.columns.event: missing, but sessions.eventTypes is given; name the column of event types',
      );
    }
    if (options.withUsers && dataset.columns.user === undefined) {
      throw new Error("dataset.columns.user: missing, but split.by is 'user'; name the column");
    }
    const source = await openSource(engine, dataset, options.temporaryDirectory);
    assertColumns(source, dataset.columns);
    const { sessionStart, timestamp } = dataset.columns;
    const time = timestamp === undefined ? undefined : await readTimeColumn(engine, source, timestamp, dataset);
    const start = sessionStart === undefined ? undefined : await readTimeColumn(engine, source, sessionStart, dataset);
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
  if (dataset.columns.timestamp === undefined && dataset.columns.sessionStart !== undefined) {
    throw new Error('dataset.columns.sessionStart: only for a log with times; map dataset.columns.timestamp too');
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
  readonly #time: TimeColumn | undefined;
  readonly #start: TimeColumn | undefined;
  /** Columns k (key), i (item), t (time), o (order), s (stated session start), e (event type) of the source. */
  readonly #select: string;

  constructor(
    engine: Engine,
    source: Source,
    dataset: FilesDataset,
    options: EventLogOptions,
    keyName: string,
    time: TimeColumn | undefined,
    start: TimeColumn | undefined,
  ) {
    this.#engine = engine;
    this.#source = source;
    this.#dataset = dataset;
    this.#options = options;
    this.#time = time;
    this.#start = start;
    const { item, order, event } = dataset.columns;
    const columns = [
      `${presentOrNull(source, keyName)} AS k`,
      `${presentOrNull(source, item)} AS i`,
      `${time?.sql ?? '0.0'} AS t`,
      `${order === undefined ? '0.0' : orderSql(source, order)} AS o`,
    ];
    if (start && time) columns.push(`coalesce(${start.sql}, ${time.sql}) AS s`);
    if (options.withUsers) columns.push(`CAST(${presentOrNull(source, dataset.columns.user ?? '')} AS VARCHAR) AS u`);
    if (options.eventTypes) columns.push(`CAST(${presentOrNull(source, event ?? '')} AS VARCHAR) AS e`);
    this.#select = `SELECT ${columns.join(', ')} FROM ${source.relation()}`;
  }

  get hasTimes(): boolean {
    return this.#time !== undefined;
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
    if (this.#time) {
      const where = `${this.#source.label}, column '${this.#time.name}'`;
      assertPlausibleTimes(where, Number(range.first), Number(range.last), this.#time.unit);
    }
    if (this.#start) {
      const startWhere = `${this.#source.label}, column '${this.#start.name}'`;
      assertPlausibleTimes(startWhere, Number(range.firstStart), Number(range.lastStart), this.#start.unit);
    }
    this.firstMs = Number(range.firstStart);
    this.lastMs = Number(range.lastStart);
  }

  async select(range?: StartRange): Promise<SelectedEvents> {
    const engine = this.#engine;
    const { gapMinutes = 30, eventTypes, support } = this.#options;
    const gapMs = gapMinutes === 'none' ? Number.POSITIVE_INFINITY : gapMinutes * 60_000;
    const from = this.#source.isText ? 'SELECT * FROM loaded' : this.#select;
    let filter = '';
    let wantedKeys = '';
    if (range && this.#start) {
      const inRange = this.#source.isText
        ? `(s >= ${range.fromMs} AND s < ${range.toMs})`
        : this.#start.between(range.fromMs, range.toMs);
      filter = ` WHERE ${inRange} OR ${this.#source.isText ? 's' : this.#start.sql} IS NULL`;
    } else if (range && this.#options.by === 'user' && Number.isFinite(gapMs)) {
      // A session is cut by the pause before it, so nothing older than one pause matters.
      filter = ` WHERE t >= ${range.fromMs - gapMs} OR t IS NULL`;
      wantedKeys = ` HAVING count(*) FILTER (t >= ${range.fromMs} AND t < ${range.toMs}) > 0`;
    } else if (range) wantedKeys = ` HAVING min(t) >= ${range.fromMs} AND min(t) < ${range.toMs}`;
    const isDirect = this.#start !== undefined || !range;
    await this.#read(
      `CREATE OR REPLACE TABLE events AS ${isDirect ? from + filter : `SELECT * FROM (${from})${filter}`}`,
    );
    if (this.#source.isText) await engine.run('DROP TABLE loaded');

    const numOtherTypeEvents = eventTypes ? await keepEventTypes(engine, eventTypes, this.#source.label) : 0;
    const missing = await countMissing(engine);
    if (missing.numEvents > 0) {
      if (this.#dataset.onMissing === 'error') {
        await assertNothingMissing(engine, this.#source, this.#dataset, this.#options.by, this.#time);
      }
      await engine.run(`DELETE FROM events WHERE ${IS_INCOMPLETE}`);
    }
    let numRareEvents = 0;
    if (support && (support.minItemEvents > 1 || support.minKeyEvents > 1)) {
      // What is not wanted must not lend support.
      if (wantedKeys) {
        await engine.run(`DELETE FROM events WHERE k NOT IN (SELECT k FROM events GROUP BY k${wantedKeys})`);
      }
      numRareEvents = await dropRareEvents(engine, support);
      wantedKeys = '';
    }
    const user = this.#options.withUsers ? ", coalesce(min(u), '') AS u" : '';
    await engine.run(
      `CREATE OR REPLACE TABLE keys AS SELECT *, CAST(row_number() OVER () - 1 AS INTEGER) AS code FROM (SELECT k${user} FROM events GROUP BY k${wantedKeys})`,
    );
    const wanted = wantedKeys ? ' WHERE k IN (SELECT k FROM keys)' : '';
    const first = this.#time ? 'min(t)' : 'min(rowid)';
    await engine.run(
      'CREATE OR REPLACE TABLE items AS SELECT i, CAST(row_number() OVER (ORDER BY first, i) - 1 AS INTEGER) AS code ' +
        `FROM (SELECT i, ${first} AS first FROM events${wanted} GROUP BY i)`,
    );
    const [counts] = await engine.rows(
      `SELECT (SELECT count(*) FROM events${wanted}) AS events, (SELECT count(*) FROM keys) AS keys, (SELECT count(*) FROM items) AS items`,
    );
    await this.#assertExactIds();
    return {
      numEvents: Number(counts.events),
      numKeys: Number(counts.keys),
      numItems: Number(counts.items),
      missing,
      numOtherTypeEvents,
      numRareEvents,
    };
  }

  async *events(): AsyncGenerator<EventChunk> {
    const start = this.#start ? ', e.s' : '';
    const sql =
      `SELECT keys.code, e.t, items.code${start} FROM events e JOIN keys ON e.k = keys.k JOIN items ON e.i = items.i ` +
      'ORDER BY keys.code, e.t, e.o, e.rowid';
    const places = this.#time ? undefined : { key: -1, place: 0 };
    for await (const chunk of this.#engine.stream(sql)) {
      const keys = rawInts(chunk.getColumnVector(0));
      yield {
        length: chunk.rowCount,
        keys,
        timestampsMs: places ? placesInKeys(keys, chunk.rowCount, places) : rawDoubles(chunk.getColumnVector(1)),
        itemCodes: rawInts(chunk.getColumnVector(2)),
        ...(this.#start && { startsMs: rawDoubles(chunk.getColumnVector(3)) }),
      };
    }
  }

  async *keys(): AsyncGenerator<KeyIds[]> {
    const { withUsers } = this.#options;
    const sql = `SELECT CAST(k AS VARCHAR)${withUsers ? ', u' : ''} FROM keys ORDER BY code`;
    for await (const chunk of this.#engine.stream(sql)) {
      const ids = chunk.getColumnValues(0).map(String);
      const users = withUsers ? chunk.getColumnValues(1).map(String) : undefined;
      yield ids.map((id, i) => (users ? { id, user: users[i] } : { id }));
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

/** The place of every event in its key, counted on from chunk to chunk. */
function placesInKeys(keys: Int32Array, length: number, last: { key: number; place: number }): Float64Array {
  const places = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    last.place = keys[i] === last.key ? last.place + 1 : 0;
    last.key = keys[i];
    places[i] = last.place;
  }
  return places;
}
