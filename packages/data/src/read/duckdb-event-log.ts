import { join } from 'node:path';
import type { EventChunk } from '../sessions/sessionizer.ts';
import type { FilesDataset } from './dataset-schema.ts';
import { type Engine, rawDoubles, rawHashes, sqlName } from './engine.ts';
import type { EventLog, EventLogOptions, KeyIds, SelectedEvents, StartRange } from './event-log.ts';
import { EventSorter } from './event-sorter.ts';
import { chooseHash, HashCodes } from './hash-codes.ts';
import { assertNothingMissing, countMissing, IS_INCOMPLETE, NOTHING_MISSING } from './missing-cells.ts';
import { explainReadError, orderSql, presentOrNull, type Source } from './open-source.ts';
import { dropRareEvents, keepEventTypes } from './support.ts';
import type { TimeColumn } from './time-column.ts';
import { assertPlausibleTimes, plausibleTimes } from './time-unit.ts';

/**
 * An event log in the tables of the engine: `loaded` (text files), `events` (a view of Parquet files where nothing has to be
 * removed from them), `keys`, `items` and `texts<n>`.
 */
export class DuckDbEventLog implements EventLog {
  firstMs = Number.NaN;
  lastMs = Number.NaN;
  readonly #engine: Engine;
  readonly #source: Source;
  readonly #dataset: FilesDataset;
  readonly #options: EventLogOptions;
  readonly #time: TimeColumn | undefined;
  readonly #start: TimeColumn | undefined;
  /** Columns t (time), o (order), s (stated session start), e (event type) … of the source; k (key) and i (item) come before them. */
  readonly #columns: readonly string[];
  readonly #keyName: string;
  /** Events without a time or place in the order, anywhere in the log. */
  #numUntimed = 0;
  /** `events` is a view with its own column of places, `r`; otherwise a table, whose rows lie in the order of the log. */
  #isView = false;
  /** SQL of what tells keys and items apart. */
  #keyHash = '';
  #itemHash = '';
  /** SQL condition on `events`, where they hold more than what is wanted. */
  #wanted = '';
  #numItems = 0;
  #numEvents = 0;

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
    const { order, event } = dataset.columns;
    this.#keyName = keyName;
    const columns = [
      `${time?.sql ?? '0.0::DOUBLE'} AS t`,
      `${order === undefined ? '0.0::DOUBLE' : orderSql(source, order)} AS o`,
    ];
    if (start && time) columns.push(`coalesce(${start.sql}, ${time.sql}) AS s`);
    for (const [c, column] of (options.columns ?? []).entries()) {
      const type = column.kind === 'number' ? 'DOUBLE' : 'VARCHAR';
      columns.push(`CAST(${presentOrNull(source, column.name)} AS ${type}) AS f${c}`);
    }
    if (options.withUsers) columns.push(`CAST(${presentOrNull(source, dataset.columns.user ?? '')} AS VARCHAR) AS u`);
    if (options.eventTypes) columns.push(`CAST(${presentOrNull(source, event ?? '')} AS VARCHAR) AS e`);
    this.#columns = columns;
  }

  get hasTimes(): boolean {
    return this.#time !== undefined;
  }

  async open(): Promise<void> {
    const start = this.#start ? 's' : 't';
    let from =
      this.#source.placeSql === undefined ? `(${this.#select()})` : `(${this.#selectRaw(this.#source.placeSql)})`;
    if (this.#source.isText) {
      await this.#read(`CREATE TABLE loaded AS ${this.#select()}`);
      from = 'loaded';
    }
    const [range] = await this.#rows(
      `SELECT count(*) AS n, count(*) FILTER (t IS NULL OR o IS NULL) AS untimed, min(t) AS first, max(t) AS last, min(${start}) AS "firstStart", max(${start}) AS "lastStart" FROM ${from}`,
    );
    if (Number(range.n) === 0) throw new Error(`${this.#source.label}: the log is empty; expected at least one event`);
    this.#numUntimed = Number(range.untimed);
    if (range.first === null) {
      await assertNothingMissing(this.#engine, this.#source, this.#dataset, this.#options.by, this.#time);
    }
    if (this.#time) await this.#assertPlausible(this.#time, Number(range.first), Number(range.last));
    if (this.#start) await this.#assertPlausible(this.#start, Number(range.firstStart), Number(range.lastStart));
    this.firstMs = Number(range.firstStart);
    this.lastMs = Number(range.lastStart);
  }

  async select(range?: StartRange): Promise<SelectedEvents> {
    const engine = this.#engine;
    const { gapMinutes = 30, eventTypes, support } = this.#options;
    const gapMs = gapMinutes === 'none' ? Number.POSITIVE_INFINITY : gapMinutes * 60_000;
    const from = this.#source.isText ? 'SELECT * FROM loaded' : this.#select();
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
    const hasSupport = support !== undefined && (support.minItemEvents > 1 || support.minKeyEvents > 1);
    const { placeSql } = this.#source;
    const wasView = this.#isView;
    this.#isView =
      placeSql !== undefined &&
      isDirect &&
      !eventTypes &&
      !hasSupport &&
      this.#dataset.onMissing === 'error' &&
      this.#numUntimed === 0;
    await engine.run(`DROP ${wasView ? 'VIEW' : 'TABLE'} IF EXISTS events`);
    if (this.#isView && placeSql !== undefined) {
      await engine.run(`CREATE VIEW events AS ${this.#selectRaw(placeSql)}${filter}`);
    } else if (this.#source.isText && !range) {
      await engine.run('ALTER TABLE loaded RENAME TO events');
    } else {
      await this.#read(`CREATE TABLE events AS ${isDirect ? from + filter : `SELECT * FROM (${from})${filter}`}`);
      if (this.#source.isText) await engine.run('DROP TABLE loaded');
    }

    const numOtherTypeEvents = eventTypes ? await keepEventTypes(engine, eventTypes, this.#source.label) : 0;
    const missing = this.#isView ? NOTHING_MISSING : await countMissing(engine);
    if (missing.numEvents > 0) {
      if (this.#dataset.onMissing === 'error') await this.#refuseMissing();
      await engine.run(`DELETE FROM events WHERE ${IS_INCOMPLETE}`);
    }
    let numRareEvents = 0;
    if (hasSupport) {
      // What is not wanted must not lend support.
      if (wantedKeys) {
        await engine.run(`DELETE FROM events WHERE k NOT IN (SELECT k FROM events GROUP BY k${wantedKeys})`);
      }
      numRareEvents = await dropRareEvents(engine, support);
      wantedKeys = '';
    }
    const user = this.#options.withUsers ? ", coalesce(min(u), '') AS u" : '';
    await this.#read(
      `CREATE OR REPLACE TABLE keys AS SELECT k${user}, count(*) AS n FROM events GROUP BY k${wantedKeys}`,
    );
    const wanted = wantedKeys ? ' WHERE k IN (SELECT k FROM keys)' : '';
    const first = this.#time ? 'min(t)' : `min(${this.#place})`;
    await this.#read(
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
      'SELECT (SELECT coalesce(sum(n), 0) FROM keys) AS events, (SELECT count(*) FROM keys) AS keys, (SELECT count(*) FROM items) AS items, ' +
        `(SELECT count(*) FROM keys WHERE ${this.#isMissing(this.#keyName, 'k')}) + ` +
        `(SELECT count(*) FROM items WHERE ${this.#isMissing(this.#itemName, 'i')}) AS missing`,
    );
    if (Number(counts.missing) > 0) await this.#refuseMissing();
    await this.#assertExactIds();
    this.#keyHash = await chooseHash(engine, 'keys', 'k');
    this.#itemHash = await chooseHash(engine, 'items', 'i');
    this.#wanted = wanted;
    this.#numItems = Number(counts.items);
    this.#numEvents = Number(counts.events);
    return {
      numEvents: this.#numEvents,
      numKeys: Number(counts.keys),
      numItems: this.#numItems,
      missing,
      numOtherTypeEvents,
      numRareEvents,
    };
  }

  async *events(): AsyncGenerator<EventChunk> {
    const texts = this.#textColumns();
    const joins = texts.map((c) => ` LEFT JOIN texts${c} ON e.f${c} = texts${c}.v`).join('');
    const carriedNames = (this.#options.columns ?? []).map((_, c) => `f${c}`);
    const carried = carriedNames.map(
      (_, c) => `coalesce(${texts.includes(c) ? `texts${c}.code` : `e.f${c}`}, 'nan'::DOUBLE)`,
    );
    const hasOrder = this.#dataset.columns.order !== undefined;
    const hasStarts = this.#start !== undefined;
    const columns = [
      `${this.#keyHash} AS key_hash`,
      `${this.#itemHash} AS item_hash`,
      't',
      `CAST(${this.#place} AS DOUBLE) AS place`,
      ...(hasOrder ? ['o'] : []),
      ...(hasStarts ? ['s'] : []),
    ];
    const sql =
      carried.length === 0
        ? `SELECT ${columns.join(', ')} FROM events${this.#wanted}`
        : `SELECT e.* EXCLUDE (${carriedNames.join(', ')}), ${carried.join(', ')} ` +
          `FROM (SELECT ${[...columns, ...carriedNames].join(', ')} FROM events${this.#wanted}) e${joins}`;
    const items = await HashCodes.read(this.#engine, `SELECT ${this.#itemHash}, code FROM items`, this.#numItems);
    const sorter = new EventSorter({
      numEvents: this.#numEvents,
      hasOrder,
      hasStarts,
      numColumns: carried.length,
      file: join(this.#options.temporaryDirectory, 'events-to-order'),
    });
    try {
      for await (const chunk of this.#engine.stream(sql)) {
        const doubles = (column: number) => rawDoubles(chunk.getColumnVector(column));
        const firstCarried = 4 + (hasOrder ? 1 : 0) + (hasStarts ? 1 : 0);
        sorter.push({
          length: chunk.rowCount,
          keyHashes: rawHashes(chunk.getColumnVector(0)),
          itemCodes: items.codesOf(rawHashes(chunk.getColumnVector(1)), chunk.rowCount),
          timestampsMs: doubles(2),
          places: doubles(3),
          ...(hasOrder && { orders: doubles(4) }),
          ...(hasStarts && { startsMs: doubles(hasOrder ? 5 : 4) }),
          columns: carried.map((_, c) => doubles(firstCarried + c)),
        });
      }
      const last = { key: -1, place: 0 };
      for (const chunk of sorter.ordered()) {
        yield this.#time ? chunk : { ...chunk, timestampsMs: placesInKeys(chunk.keys, chunk.length, last) };
      }
    } finally {
      sorter.close();
    }
  }

  async *keys(): AsyncGenerator<KeyIds[]> {
    const { withUsers } = this.#options;
    const sql = `SELECT CAST(k AS VARCHAR)${withUsers ? ', u' : ''} FROM keys ORDER BY ${this.#keyHash}`;
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

  #select(): string {
    const ids = [
      `${presentOrNull(this.#source, this.#keyName)} AS k`,
      `${presentOrNull(this.#source, this.#itemName)} AS i`,
    ];
    return `SELECT ${[...ids, ...this.#columns].join(', ')} FROM ${this.#source.relation()}`;
  }

  /**
   * The same with ids as they stand in the file, missing ones included, and with places. To look at every id costs more than to read
   * it, where a file has each different one but once; `#assertPresent` looks at the different ones.
   */
  #selectRaw(placeSql: string): string {
    const ids = [`${sqlName(this.#keyName)} AS k`, `${sqlName(this.#itemName)} AS i`];
    return `SELECT ${[...ids, ...this.#columns, `${placeSql} AS r`].join(', ')} FROM ${this.#source.relation()}`;
  }

  get #itemName(): string {
    return this.#dataset.columns.item;
  }

  get #place(): string {
    return this.#isView ? 'r' : 'rowid';
  }

  /** @throws naming file and row of the first time that is not believed */
  async #assertPlausible({ name, sql, unit }: TimeColumn, firstMs: number, lastMs: number): Promise<void> {
    const { earliestMs, latestMs } = plausibleTimes(this.#dataset.futureTimes);
    if (firstMs >= earliestMs && lastMs < latestMs) return;
    let where = this.#source.label;
    for (const [index, file] of this.#source.files.entries()) {
      const numbered = `SELECT row_number() OVER () AS n, ${sql} AS t FROM ${this.#source.relation(index)}`;
      const [row] = await this.#rows(
        `SELECT min(n) AS first FROM (${numbered}) WHERE t < ${earliestMs} OR t >= ${latestMs}`,
      );
      if (row.first === null) continue;
      where = `${file.path}, ${this.#source.placeOf(Number(row.first))}`;
      break;
    }
    assertPlausibleTimes(`${where}, column '${name}'`, firstMs, lastMs, unit, latestMs);
  }

  /** SQL of the different ids of a column: it stands for a missing cell. */
  #isMissing(name: string, alias: string): string {
    return `(${presentOrNull(this.#source, name, alias)}) IS NULL`;
  }

  async #refuseMissing(): Promise<void> {
    await assertNothingMissing(this.#engine, this.#source, this.#dataset, this.#options.by, this.#time);
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
