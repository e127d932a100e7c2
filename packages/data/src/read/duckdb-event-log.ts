import { join } from 'node:path';
import type { EventChunk } from '../sessions/sessionizer.ts';
import { assertCells } from './column-types.ts';
import type { FilesDataset } from './dataset-schema.ts';
import { type Engine, messageOf, sqlText } from './engine.ts';
import type {
  CountedIds,
  EventLog,
  EventLogOptions,
  KeyIds,
  LogRange,
  SelectedEvents,
  ShardSelection,
  StartRange,
  TimeUnits,
} from './event-log.ts';
import { EventSql, where } from './event-sql.ts';
import { chooseHash } from './hash-codes.ts';
import {
  assertNothingMissing,
  assertPresent,
  countMissing,
  IS_INCOMPLETE,
  type MissingCounts,
  NOTHING_MISSING,
} from './missing-cells.ts';
import { explainReadError, type Source } from './open-source.ts';
import { orderedEvents } from './ordered-events.ts';
import {
  assertTypes,
  countEvents,
  countEventTypes,
  dropOtherTypes,
  dropRare,
  dropRareEvents,
  hasLimits,
} from './support.ts';
import type { TimeColumn } from './time-column.ts';
import { assertPlausibleTimes, plausibleTimes } from './time-unit.ts';

/**
 * An event log in the tables of the engine: `loaded` (a view of text files that were parsed), `events` (a view, where nothing has to
 * be removed from the log), `keys`, `items` and `texts<n>`.
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
  readonly #sql: EventSql;
  readonly #keyName: string;
  /** Events without a time or place in the order, anywhere in the log. */
  #numUntimed = 0;
  /** `events` is a view of files, otherwise a table. */
  #isView = false;
  /** `events` has a column of places in the log, `r`; otherwise its rows lie in the order of the log. */
  #hasPlaces = false;
  #isLoaded = false;
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
    this.#keyName = keyName;
    this.#sql = new EventSql(source, dataset, options, keyName, time, start);
  }

  get timeUnits(): TimeUnits {
    return { timestamp: this.#time?.unit, sessionStart: this.#start?.unit };
  }

  get hasTimes(): boolean {
    return this.#time !== undefined;
  }

  async open(): Promise<void> {
    if (this.#source.isText) await this.#loadText();
    const range = await this.readRange();
    await this.assertRange(range);
    this.useRange(range);
  }

  /** @throws when there are no events, or times that are not believed; names file and row */
  async assertRange(range: LogRange): Promise<void> {
    if (range.numEvents === 0) throw new Error(`${this.#source.label}: the log is empty; expected at least one event`);
    if (Number.isNaN(range.firstMs)) {
      await assertNothingMissing(this.#engine, this.#source, this.#dataset, this.#options.by, this.#time);
    }
    if (this.#time) await this.#assertPlausible(this.#time, range.firstMs, range.lastMs);
    if (this.#start) await this.#assertPlausible(this.#start, range.firstStartMs, range.lastStartMs);
  }

  /** Of all events, sound or not; NaN where no event has a time. */
  async readRange(): Promise<LogRange> {
    const [range] = await this.#rows(this.#rangeSql());
    const timeOf = (value: unknown) => (value === null ? Number.NaN : Number(value));
    return {
      numEvents: Number(range.n),
      numUntimed: Number(range.untimed),
      firstMs: timeOf(range.first),
      lastMs: timeOf(range.last),
      firstStartMs: timeOf(range.firstStart),
      lastStartMs: timeOf(range.lastStart),
    };
  }

  #rangeSql(): string {
    const { columns } = this.#dataset;
    if (!this.#start && columns.order === undefined) {
      // Numbers and ends of a plain column, which Parquet files state for their parts: the rows need not be read.
      const ends = (column: string) =>
        `count(*) AS n, count(*) - count(${column}) AS untimed, min(${column}) AS low, max(${column}) AS high`;
      const ofEnds = (sql: (end: string) => string) =>
        `n, untimed, ${sql('low')} AS first, ${sql('high')} AS last, first AS "firstStart", last AS "lastStart"`;
      if (this.#isLoaded) return `SELECT ${ofEnds((end) => end)} FROM (SELECT ${ends('t')} FROM loaded)`;
      const { column, ofEnd } = this.#time ?? {};
      if (column && ofEnd)
        return `SELECT ${ofEnds(ofEnd)} FROM (SELECT ${ends(column)} FROM ${this.#source.relation()})`;
    }
    const start = this.#start ? 's' : 't';
    const { placeSql } = this.#source;
    const rows = placeSql === undefined ? this.#sql.select() : this.#sql.raw(placeSql);
    return (
      'SELECT count(*) AS n, count(*) FILTER (t IS NULL OR o IS NULL) AS untimed, min(t) AS first, max(t) AS last, ' +
      `min(${start}) AS "firstStart", max(${start}) AS "lastStart" FROM ${this.#isLoaded ? 'loaded' : `(${rows})`}`
    );
  }

  /** Takes what `readRange` found, perhaps elsewhere. */
  useRange({ numUntimed, firstStartMs, lastStartMs }: LogRange): void {
    this.#numUntimed = numUntimed;
    this.firstMs = firstStartMs;
    this.lastMs = lastStartMs;
  }

  async select(range?: StartRange): Promise<SelectedEvents> {
    const engine = this.#engine;
    const { eventTypes, eventWeights, support } = this.#options;
    let wantedKeys = await this.#loadEvents(range);
    if (eventTypes || eventWeights) assertTypes(await countEventTypes(engine), this.#options, this.label);
    const numOtherTypeEvents = eventTypes ? await dropOtherTypes(engine, eventTypes) : 0;
    await this.#assertTyped();
    const missing = await this.#dropIncomplete();
    if (missing.numEvents > 0 && this.#dataset.onMissing === 'error') await this.refuseMissing();
    let numRareEvents = 0;
    if (hasLimits(support)) {
      // What is not wanted must not lend support.
      await this.#dropUnwanted(wantedKeys);
      wantedKeys = '';
      numRareEvents = await dropRareEvents(engine, support);
    }
    await this.#countKeys(wantedKeys);
    await this.#read(
      'CREATE OR REPLACE TABLE items AS SELECT i, CAST(row_number() OVER (ORDER BY first, i) - 1 AS INTEGER) AS code ' +
        `FROM (SELECT i, ${this.#firstSql} AS first FROM events${this.#wanted} GROUP BY i)`,
    );
    for (const c of this.#sql.textColumns) {
      await engine.run(
        `CREATE OR REPLACE TABLE texts${c} AS SELECT v, CAST(row_number() OVER (ORDER BY v) - 1 AS DOUBLE) AS code ` +
          `FROM (SELECT DISTINCT f${c} AS v FROM events${this.#wanted}) WHERE v IS NOT NULL`,
      );
    }
    const counts = await this.#countSelected();
    if (counts.numMissingIds > 0) await this.refuseMissing();
    await this.assertExactIds();
    await this.#chooseHashes(counts);
    return { ...counts, missing, numOtherTypeEvents, numRareEvents };
  }

  /**
   * Selects the events of the shard (`options.shard`) as `select` does those of the whole log, but judges nothing that
   * is known only with the other shards: it counts. The log is read once: the events go to a file, for `selectKept`.
   */
  async selectShard(range: StartRange | undefined, eventsFile: string): Promise<ShardSelection> {
    const engine = this.#engine;
    const { eventTypes, eventWeights } = this.#options;
    if (this.#source.isText) await this.#loadText();
    await this.#loadEvents(range);
    const eventTypeCounts = eventTypes || eventWeights ? await countEventTypes(engine) : {};
    const numOtherTypeEvents = eventTypes ? await dropOtherTypes(engine, eventTypes) : 0;
    await this.#assertTyped();
    const missing = await this.#dropIncomplete();
    const place = this.#place === 'r' ? '' : ', rowid AS r';
    await this.#read(`COPY (SELECT *${place} FROM events) TO ${sqlText(eventsFile)} (FORMAT parquet)`);
    await this.selectKept(range, eventsFile, []);
    return { missing, numOtherTypeEvents, eventTypeCounts };
  }

  /**
   * Selects the shard's events of a file of `selectShard`.
   *
   * @param rareItems files of items (column i) that are left out, one after the other, and after each the keys that are rare then
   * @returns how many events these were
   */
  async selectKept(range: StartRange | undefined, eventsFile: string, rareItems: readonly string[]): Promise<number> {
    const engine = this.#engine;
    const { support } = this.#options;
    let { wantedKeys } = this.#conditionsOf(range);
    const isTable = hasLimits(support);
    await this.#placeEvents(!isTable);
    this.#hasPlaces = true;
    await engine.run(`CREATE ${isTable ? 'TABLE' : 'VIEW'} events AS ${this.#sql.keptIn(eventsFile)}`);
    if (isTable) {
      await this.#dropUnwanted(wantedKeys);
      wantedKeys = '';
    }
    let numRareEvents = 0;
    if (rareItems.length > 0) {
      const before = await countEvents(engine);
      for (const file of rareItems) {
        await engine.run(`DELETE FROM events WHERE i IN (SELECT i FROM ${this.#sql.itemsFrom(file)})`);
        if (support) await dropRare(engine, 'k', support.minKeyEvents);
      }
      numRareEvents = before - (await countEvents(engine));
    }
    await this.#countKeys(wantedKeys);
    return numRareEvents;
  }

  /**
   * Writes the items and texts of the shard's events: columns i, first (when it comes first) and n (events); column v.
   *
   * @returns how many events, keys and items there are, and how many of their ids are missing
   */
  async saveFound(itemsFile: string, textsFile: (column: number) => string): Promise<CountedIds> {
    await this.#read(
      `CREATE OR REPLACE TABLE items AS SELECT i, CAST(${this.#firstSql} AS DOUBLE) AS first, count(*) AS n FROM events${this.#wanted} GROUP BY i`,
    );
    // In the order of a hash and in small groups of rows, for whoever merges the shards range by range.
    await this.#engine.run(
      `COPY (SELECT *, hash(i) AS h FROM items ORDER BY h) TO ${sqlText(itemsFile)} (FORMAT parquet, ROW_GROUP_SIZE 30720)`,
    );
    for (const c of this.#sql.textColumns) {
      const values = `SELECT DISTINCT f${c} AS v FROM events${this.#wanted}`;
      await this.#engine.run(
        `COPY (SELECT v FROM (${values}) WHERE v IS NOT NULL) TO ${sqlText(textsFile(c))} (FORMAT parquet)`,
      );
    }
    return this.#countSelected();
  }

  /**
   * Takes the codes of items and texts from the files of the whole log (columns i, code; v, code), as far as the shard has
   * them. `events` can be read then.
   */
  async useDictionary(
    itemsFile: string,
    textsFile: (column: number) => string,
    foundFile: string,
  ): Promise<{ readonly numEvents: number }> {
    const engine = this.#engine;
    await engine.run(
      `CREATE OR REPLACE TABLE items AS SELECT i, code FROM ${this.#sql.itemsFrom(itemsFile)} WHERE i IN (SELECT i FROM ${this.#sql.itemsFrom(foundFile)})`,
    );
    for (const c of this.#sql.textColumns) {
      await engine.run(
        `CREATE OR REPLACE TABLE texts${c} AS SELECT v, CAST(code AS DOUBLE) AS code FROM read_parquet(${sqlText(textsFile(c))})`,
      );
    }
    const counts = await this.#countSelected();
    await this.#chooseHashes(counts);
    return counts;
  }

  /** @throws when events are weighed by their type and one has none, naming file and row */
  async #assertTyped(): Promise<void> {
    const { event = '' } = this.#dataset.columns;
    if (!this.#options.eventWeights || this.#options.eventTypes) return;
    const [{ n }] = await this.#engine.rows('SELECT count(*) AS n FROM events WHERE e IS NULL');
    if (Number(n) === 0) return;
    await assertPresent(this.#engine, this.#source, event, 'event', (where, count) => {
      return `${where} is empty; ${count}, and events without a type have no weight. Name the types that count as sessions.eventTypes`;
    });
  }

  /** SQL of the conditions that a row and a key have to meet, where there are any. */
  #conditionsOf(range: StartRange | undefined): { readonly inRange?: string; readonly wantedKeys: string } {
    if (!range) return { wantedKeys: '' };
    const { fromMs, toMs } = range;
    const { gapMinutes = 30, by } = this.#options;
    const { isText } = this.#source;
    const gapMs = gapMinutes === 'none' ? Number.POSITIVE_INFINITY : gapMinutes * 60_000;
    if (this.#start) {
      const inRange = isText
        ? `(s >= ${fromMs} AND s < ${toMs}) OR s IS NULL`
        : `${this.#start.between(fromMs, toMs)} OR ${this.#start.sql} IS NULL`;
      return { inRange, wantedKeys: '' };
    }
    if (this.#time && by === 'user' && Number.isFinite(gapMs)) {
      // A session is cut by the pause before it, so nothing older than one pause matters.
      const sinceMs = fromMs - gapMs;
      const orUntimed = this.#numUntimed === 0 ? '' : ` OR ${isText ? 't' : this.#time.sql} IS NULL`;
      const since = isText ? `t >= ${sinceMs}` : this.#time.since(sinceMs);
      return {
        inRange: since + orUntimed,
        wantedKeys: ` HAVING count(*) FILTER (t >= ${fromMs} AND t < ${toMs}) > 0`,
      };
    }
    return { wantedKeys: ` HAVING min(t) >= ${fromMs} AND min(t) < ${toMs}` };
  }

  /** Makes room for `events`. */
  async #placeEvents(isView: boolean): Promise<void> {
    await this.#engine.run(`DROP ${this.#isView ? 'VIEW' : 'TABLE'} IF EXISTS events`);
    this.#isView = isView;
  }

  /** Lays out the events of the range: `events`. @returns SQL of the condition that a key has to meet, where there is one */
  async #loadEvents(range: StartRange | undefined): Promise<string> {
    const { eventTypes, support } = this.#options;
    const { isText, placeSql } = this.#source;
    const { inRange, wantedKeys } = this.#conditionsOf(range);
    const isView =
      (isText || placeSql !== undefined) &&
      (this.#start !== undefined || !range) &&
      !eventTypes &&
      !hasLimits(support) &&
      this.#dataset.onMissing === 'error' &&
      this.#numUntimed === 0;
    await this.#placeEvents(isView);
    this.#hasPlaces = isView || isText || this.#sql.needsPlaces;
    if (isText) {
      const [kind, columns] = isView ? ['VIEW', '*'] : ['TABLE', this.#sql.presentIds];
      await this.#engine.run(`CREATE ${kind} events AS SELECT ${columns} FROM loaded${where(inRange)}`);
    } else if (this.#isView && placeSql !== undefined) {
      await this.#engine.run(`CREATE VIEW events AS ${this.#sql.raw(placeSql)}${where(inRange, this.#sql.shard)}`);
    } else await this.#read(`CREATE TABLE events AS ${this.#sql.ofShard(inRange)}`);
    return wantedKeys;
  }

  /** Parses text files once, into a Parquet file, with ids as they stand: the engine writes and reads it several times faster than a table. */
  async #loadText(): Promise<void> {
    const file = sqlText(join(this.#options.temporaryDirectory, 'loaded.parquet'));
    await this.#read(`COPY (${this.#sql.rawOfShard()}) TO ${file} (FORMAT parquet)`);
    const place = this.#sql.needsPlaces ? '' : ', CAST(file_row_number AS DOUBLE) AS r';
    await this.#engine.run(`CREATE OR REPLACE VIEW loaded AS SELECT *${place} FROM read_parquet(${file})`);
    this.#isLoaded = true;
  }

  async #dropUnwanted(wantedKeys: string): Promise<void> {
    if (!wantedKeys) return;
    await this.#engine.run(`DELETE FROM events WHERE k NOT IN (SELECT k FROM events GROUP BY k${wantedKeys})`);
  }

  /** Without effect on a view, whose ids are looked at later. */
  async #dropIncomplete(): Promise<MissingCounts> {
    const missing = this.#isView ? NOTHING_MISSING : await countMissing(this.#engine);
    if (missing.numEvents > 0) await this.#engine.run(`DELETE FROM events WHERE ${IS_INCOMPLETE}`);
    return missing;
  }

  async #countKeys(wantedKeys: string): Promise<void> {
    const user = this.#options.withUsers ? ", coalesce(min(u), '') AS u" : '';
    await this.#read(
      `CREATE OR REPLACE TABLE keys AS SELECT k${user}, count(*) AS n FROM events GROUP BY k${wantedKeys}`,
    );
    this.#wanted = wantedKeys ? ' WHERE k IN (SELECT k FROM keys)' : '';
    await this.#assertExact('keys', 'k', this.#keyName);
  }

  /** In the tables `keys` and `items`. */
  async #countSelected(): Promise<CountedIds> {
    const [counts] = await this.#engine.rows(
      'SELECT (SELECT coalesce(sum(n), 0) FROM keys) AS events, (SELECT count(*) FROM keys) AS keys, (SELECT count(*) FROM items) AS items, ' +
        `(SELECT count(*) FROM keys WHERE ${this.#sql.isMissing(this.#keyName, 'k')}) + ` +
        `(SELECT count(*) FROM items WHERE ${this.#sql.isMissing(this.#sql.itemName, 'i')}) AS missing`,
    );
    return {
      numEvents: Number(counts.events),
      numKeys: Number(counts.keys),
      numItems: Number(counts.items),
      numMissingIds: Number(counts.missing),
    };
  }

  async #chooseHashes({ numEvents, numItems }: CountedIds): Promise<void> {
    this.#keyHash = await chooseHash(this.#engine, 'keys', 'k');
    this.#itemHash = await chooseHash(this.#engine, 'items', 'i');
    this.#numItems = numItems;
    this.#numEvents = numEvents;
  }

  events(): AsyncGenerator<EventChunk> {
    return orderedEvents(this.#engine, {
      from: `events${this.#wanted}`,
      keyHash: this.#keyHash,
      itemHash: this.#itemHash,
      placeSql: this.#place,
      hasTimes: this.hasTimes,
      hasOrder: this.#dataset.columns.order !== undefined,
      hasStarts: this.#start !== undefined,
      numColumns: this.#options.columns?.length ?? 0,
      textColumns: this.#sql.textColumns,
      numEvents: this.#numEvents,
      numItems: this.#numItems,
      temporaryDirectory: this.#options.temporaryDirectory,
      helperThread: this.#options.helperThread,
    });
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
    const sql = this.#sql.isFloat(this.#sql.itemName)
      ? 'CASE WHEN i = trunc(i) THEN CAST(CAST(i AS BIGINT) AS VARCHAR) ELSE CAST(i AS VARCHAR) END'
      : 'CAST(i AS VARCHAR)';
    for await (const chunk of this.#engine.stream(`SELECT ${sql} FROM items ORDER BY code`)) {
      for (const id of chunk.getColumnValues(0)) ids.push(String(id));
    }
    return ids;
  }

  async texts(): Promise<Record<string, string[]>> {
    const texts: Record<string, string[]> = {};
    for (const c of this.#sql.textColumns) {
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

  get #place(): string {
    return this.#hasPlaces ? 'r' : 'rowid';
  }

  /** SQL of an event's time or place, of which the smallest is an item's first. */
  get #firstSql(): string {
    return this.#time ? 'min(t)' : `min(${this.#place})`;
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

  /** Where shards are merged: the tables `items` and `texts<n>`, as `select` leaves them. */
  get tables(): { readonly engine: Engine; readonly sql: EventSql } {
    return { engine: this.#engine, sql: this.#sql };
  }

  /** What to call the log in a message. */
  get label(): string {
    return this.#source.label;
  }

  /** @throws naming the first row that lacks a cell */
  async refuseMissing(): Promise<void> {
    await assertNothingMissing(this.#engine, this.#source, this.#dataset, this.#options.by, this.#time);
  }

  /** @throws when there are items in floating point that may stand for several */
  async assertExactIds(): Promise<void> {
    await this.#assertExact('items', 'i', this.#sql.itemName);
  }

  async #assertExact(table: string, column: string, name: string): Promise<void> {
    if (!this.#sql.isFloat(name)) return;
    const bits = this.#source.types.get(name) === 'FLOAT' ? 24 : 53;
    const [row] = await this.#engine.rows(
      `SELECT count(*) AS n FROM ${table} WHERE isfinite(${column}) AND abs(${column}) > ${2 ** bits}`,
    );
    if (Number(row.n) > 0) {
      throw new Error(
        `${this.label}: column '${name}' holds ids as floating point, and ${row.n} of them are beyond 2^${bits}, ` +
          'where different ids become equal; write the column as whole numbers or text',
      );
    }
  }

  async #read(sql: string): Promise<void> {
    await this.#engine.run(sql).catch((error: unknown) => this.#refuse(error));
  }

  async #rows(sql: string): Promise<Record<string, unknown>[]> {
    return this.#engine.rows(sql).catch((error: unknown) => this.#refuse(error));
  }

  /** @throws saying where in the log the engine failed */
  async #refuse(error: unknown): Promise<never> {
    if (/^Conversion Error/m.test(messageOf(error))) {
      for (const { name, kind } of this.#options.columns ?? []) {
        if (kind === 'number') await assertCells(this.#engine, this.#source, name, 'number', 'a feature reads it');
      }
    }
    throw explainReadError(error, this.#source);
  }
}
