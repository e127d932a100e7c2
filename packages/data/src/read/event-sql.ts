import type { FilesDataset } from './dataset-schema.ts';
import { sqlName, sqlText } from './engine.ts';
import type { EventLogOptions } from './event-log.ts';
import { orderSql, presentOrNull, type Source } from './open-source.ts';
import type { TimeColumn } from './time-column.ts';

/**
 * What of a source becomes an event, as SQL: k (key), i (item), t (time), o (order), s (stated session start), f<n> (carried
 * columns), u (user), e (event type), and where an event's place in the log is needed, r.
 */
export class EventSql {
  readonly itemName: string;
  /** Which of the carried columns are text. */
  readonly textColumns: readonly number[];
  readonly #source: Source;
  readonly #keyName: string;
  readonly #shard: EventLogOptions['shard'];
  readonly #hasTimes: boolean;
  /** All but k and i, which come before them. */
  readonly #columns: readonly string[];

  constructor(
    source: Source,
    dataset: FilesDataset,
    { columns = [], eventTypes, eventWeights, shard, withUsers }: EventLogOptions,
    keyName: string,
    time: TimeColumn | undefined,
    start: TimeColumn | undefined,
  ) {
    const { item, order, event, user } = dataset.columns;
    this.itemName = item;
    this.textColumns = columns.flatMap(({ kind }, c) => (kind === 'text' ? [c] : []));
    this.#source = source;
    this.#keyName = keyName;
    this.#shard = shard;
    this.#hasTimes = time !== undefined;
    const all = [
      `${time?.sql ?? '0.0::DOUBLE'} AS t`,
      `${order === undefined ? '0.0::DOUBLE' : orderSql(source, order)} AS o`,
    ];
    if (start && time) all.push(`coalesce(${start.sql}, ${time.sql}) AS s`);
    const typeSql = `CAST(${presentOrNull(source, event ?? '')} AS VARCHAR)`;
    for (const [c, column] of columns.entries()) {
      if (column.kind === 'weight') {
        all.push(`${weightSql(typeSql, eventWeights ?? {})} AS f${c}`);
        continue;
      }
      const type = column.kind === 'number' ? 'DOUBLE' : 'VARCHAR';
      all.push(`CAST(${presentOrNull(source, column.name)} AS ${type}) AS f${c}`);
    }
    if (withUsers) all.push(`CAST(${presentOrNull(source, user ?? '')} AS VARCHAR) AS u`);
    if (eventTypes || eventWeights) all.push(`${typeSql} AS e`);
    this.#columns = all;
  }

  select(): string {
    return this.#select([
      `${presentOrNull(this.#source, this.#keyName)} AS k`,
      `${presentOrNull(this.#source, this.itemName)} AS i`,
    ]);
  }

  /** The same of the shard, and where an event's place in the whole log is needed, with it. */
  ofShard(condition?: string): string {
    return this.#ofShard(this.select(), condition);
  }

  /** The same with ids as they stand in the file: see `raw`. */
  rawOfShard(): string {
    return this.#ofShard(this.#select(this.#rawIds));
  }

  #ofShard(select: string, condition?: string): string {
    if (!this.needsPlaces) return select + where(condition, this.shard);
    const place = this.#source.placeSql ?? 'row_number() OVER ()';
    // Numbered before the others are left out.
    const all = select.replace(/^SELECT /, `SELECT ${place} AS r, `);
    return `SELECT * FROM (${all})${where(condition, shardSql('k', this.#shard))}`;
  }

  /**
   * The same with ids as they stand in the file, missing ones included, and with places. To look at every id costs more than to read
   * it, where a file has each different one but once, and twice as much as to parse it in a text; `isMissing` looks at the different ones.
   */
  raw(placeSql: string): string {
    return this.#select(this.#rawIds, `${placeSql} AS r`);
  }

  /** Of rows with raw ids: NULL for missing ones. */
  get presentIds(): string {
    const present = (name: string, alias: string) => `${presentOrNull(this.#source, name, alias)} AS ${alias}`;
    return `* REPLACE (${present(this.#keyName, 'k')}, ${present(this.itemName, 'i')})`;
  }

  get #rawIds(): string[] {
    return [`${sqlName(this.#keyName)} AS k`, `${sqlName(this.itemName)} AS i`];
  }

  #select(ids: readonly string[], ...further: readonly string[]): string {
    return `SELECT ${[...ids, ...this.#columns, ...further].join(', ')} FROM ${this.#source.relation()}`;
  }

  /** Without times the place in the log says which item comes first, in whichever shard. */
  get needsPlaces(): boolean {
    return this.#shard !== undefined && !this.#hasTimes;
  }

  /** Condition on the rows of the file. */
  get shard(): string | undefined {
    return shardSql(sqlName(this.#keyName), this.#shard);
  }

  /** Files of items, in the type that they have in the log. */
  itemsFrom(...files: readonly string[]): string {
    return `(SELECT * REPLACE (CAST(i AS ${this.#typeOf(this.itemName)}) AS i) FROM read_parquet([${files.map(sqlText).join(', ')}]))`;
  }

  /** Events of a file of `DuckDbEventLog.selectShard`, their ids in the type that they have in the log. */
  keptIn(file: string): string {
    const [key, item] = [this.#typeOf(this.#keyName), this.#typeOf(this.itemName)];
    return `SELECT * REPLACE (CAST(k AS ${key}) AS k, CAST(i AS ${item}) AS i) FROM read_parquet(${sqlText(file)})`;
  }

  #typeOf(name: string): string {
    return this.#source.types.get(name) ?? 'VARCHAR';
  }

  /** Of the different ids of a column: it stands for a missing cell. */
  isMissing(name: string, alias: string): string {
    return `(${presentOrNull(this.#source, name, alias)}) IS NULL`;
  }

  isFloat(name: string): boolean {
    return /^(DOUBLE|FLOAT)$/.test(this.#source.types.get(name) ?? '');
  }
}

export function where(...conditions: readonly (string | undefined)[]): string {
  const all = conditions.flatMap((condition) => (condition ? [`(${condition})`] : []));
  return all.length > 0 ? ` WHERE ${all.join(' AND ')}` : '';
}

/** Types without a weight are refused when their events are counted. */
function weightSql(type: string, weights: Readonly<Record<string, number>>): string {
  const cases = Object.entries(weights).map(([name, weight]) => `WHEN ${sqlText(name)} THEN ${weight}::DOUBLE`);
  return `CASE ${type} ${cases.join(' ')} ELSE NULL::DOUBLE END`;
}

/** The shard of a key, the same wherever it is looked at: DuckDB's hash. */
function shardSql(key: string, shard: EventLogOptions['shard']): string | undefined {
  return shard && shard.count > 1 ? `hash(${key}) % ${shard.count} = ${shard.index}` : undefined;
}
