import type { EventChunk } from '../sessions/sessionizer.ts';
import type { FilesDataset } from './dataset-schema.ts';
import { type Engine, rawDoubles, rawInts } from './engine.ts';
import type { EventLog, EventLogOptions, KeyIds, SelectedEvents, StartRange } from './event-log.ts';
import { assertNothingMissing, countMissing, IS_INCOMPLETE } from './missing-cells.ts';
import { explainReadError, orderSql, presentOrNull, type Source } from './open-source.ts';
import { dropRareEvents, keepEventTypes } from './support.ts';
import type { TimeColumn } from './time-column.ts';
import { assertPlausibleTimes } from './time-unit.ts';

/** An event log in the tables of the engine: `loaded` (text files), `events`, `keys`, `items` and `texts<n>`. */
export class DuckDbEventLog implements EventLog {
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
    for (const [c, column] of (options.columns ?? []).entries()) {
      const type = column.kind === 'number' ? 'DOUBLE' : 'VARCHAR';
      columns.push(`CAST(${presentOrNull(source, column.name)} AS ${type}) AS f${c}`);
    }
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
    for (const c of this.#textColumns()) {
      await engine.run(
        `CREATE OR REPLACE TABLE texts${c} AS SELECT v, CAST(row_number() OVER (ORDER BY v) - 1 AS DOUBLE) AS code ` +
          `FROM (SELECT DISTINCT f${c} AS v FROM events${wanted}) WHERE v IS NOT NULL`,
      );
    }
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
    const texts = this.#textColumns();
    const joins = texts.map((c) => ` LEFT JOIN texts${c} ON e.f${c} = texts${c}.v`).join('');
    const carried = (this.#options.columns ?? []).map(
      (_, c) => `coalesce(${texts.includes(c) ? `texts${c}.code` : `e.f${c}`}, 'nan'::DOUBLE)`,
    );
    const firstCarried = this.#start ? 4 : 3;
    const sql =
      `SELECT keys.code, e.t, items.code${start}${carried.map((sql) => `, ${sql}`).join('')} FROM events e ` +
      `JOIN keys ON e.k = keys.k JOIN items ON e.i = items.i${joins} ` +
      'ORDER BY keys.code, e.t, e.o, e.rowid';
    const places = this.#time ? undefined : { key: -1, place: 0 };
    for await (const chunk of this.#engine.stream(sql)) {
      const keys = rawInts(chunk.getColumnVector(0));
      yield {
        length: chunk.rowCount,
        keys,
        timestampsMs: places ? placesInKeys(keys, chunk.rowCount, places) : rawDoubles(chunk.getColumnVector(1)),
        itemCodes: rawInts(chunk.getColumnVector(2)),
        ...(carried.length > 0 && {
          columns: carried.map((_, c) => rawDoubles(chunk.getColumnVector(firstCarried + c))),
        }),
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

  async texts(): Promise<Record<string, string[]>> {
    const texts: Record<string, string[]> = {};
    for (const c of this.#textColumns()) {
      const values: string[] = [];
      for await (const chunk of this.#engine.stream(`SELECT v FROM texts${c} ORDER BY code`)) {
        for (const value of chunk.getColumnValues(0)) values.push(String(value));
      }
      texts[this.#options.columns?.[c].name ?? ''] = values;
    }
    return texts;
  }

  close(): void {
    this.#engine.close();
  }

  /** Which of the carried columns are text. */
  #textColumns(): number[] {
    return (this.#options.columns ?? []).flatMap(({ kind }, c) => (kind === 'text' ? [c] : []));
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
