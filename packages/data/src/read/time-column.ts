import type { FilesDataset, TimeUnit } from './dataset-schema.ts';
import { type Engine, sqlName, sqlText } from './engine.ts';
import { explainReadError, presentOrNull, type Source } from './open-source.ts';
import { assertPlausibleTimes, detectTimeUnit, MS_PER_UNIT } from './time-unit.ts';

/** How a column of times becomes milliseconds since 1970 UTC. */
export interface TimeColumn {
  readonly name: string;
  /** Absent for a column that is a timestamp by its type. */
  readonly unit?: TimeUnit;
  /** SQL of the time in ms (DOUBLE), NULL when it is missing or cannot be read. */
  readonly sql: string;
  /** The column in SQL, and SQL of the time in ms of its least and greatest value, where the order of times is that of values. */
  readonly column?: string;
  ofEnd?(end: string): string;
  /** SQL condition for fromMs ≤ time < toMs, in the column's own type where the file can then skip what lies outside. */
  between(fromMs: number, toMs: number): string;
  /** The same for fromMs ≤ time. */
  since(fromMs: number): string;
}

/** Rows of a text file that are looked at to find its time unit. */
const SAMPLE_ROWS = 10_000;

/**
 * Finds out how to read a column of times: by its type, the given unit, or the only unit that puts the times between
 * 1990 and 2100. Written dates without a time zone are in `timeZone`, default UTC: the zone of the engine.
 *
 * @throws when no unit fits, the column holds neither numbers nor dates, or a zone is given for numbers
 */
export async function readTimeColumn(
  engine: Engine,
  source: Source,
  name: string,
  { timeUnit, timeZone = 'UTC' }: Pick<FilesDataset, 'timeUnit' | 'timeZone'> = {},
): Promise<TimeColumn> {
  const column = sqlName(name);
  const type = source.types.get(name) ?? '';
  if (type.startsWith('TIMESTAMP') || type === 'DATE') {
    const hasZone = type === 'TIMESTAMP WITH TIME ZONE';
    const literal = (ms: number) => `${hasZone ? 'to_timestamp' : 'epoch_ms'}(${hasZone ? ms / 1000 : Math.round(ms)})`;
    if (!hasZone && timeZone !== 'UTC') {
      const sql = `epoch_us(CAST(CAST(${column} AS TIMESTAMP) AS TIMESTAMPTZ)) / 1000.0`;
      return withSql(name, undefined, sql);
    }
    const sqlOf = (value: string) => `epoch_us(${hasZone ? value : `CAST(${value} AS TIMESTAMP)`}) / 1000.0`;
    return {
      name,
      sql: sqlOf(column),
      column,
      ofEnd: sqlOf,
      between: (fromMs, toMs) => `(${column} >= ${literal(fromMs)} AND ${column} < ${literal(toMs)})`,
      since: (fromMs) => `${column} >= ${literal(fromMs)}`,
    };
  }
  const isWhole = /^U?(BIG|SMALL|TINY|HUGE)?INT(EGER)?$/.test(type);
  const isNumber = isWhole || /^(DOUBLE|FLOAT|DECIMAL)/.test(type);
  if (!isNumber && type !== 'VARCHAR') {
    throw new Error(
      `dataset.columns.timestamp: '${name}' of ${source.label} has type ${type}; expected numbers, dates or timestamps`,
    );
  }
  if (isNumber && timeUnit === 'iso') {
    throw new Error(
      `dataset.timeUnit: 'iso' expects written dates, but '${name}' of ${source.label} holds numbers (${type})`,
    );
  }
  const used = timeUnit ?? (await detect(engine, source, name, isNumber));
  if (used !== 'iso' && timeZone !== 'UTC') {
    throw new Error(
      `dataset.timeZone: '${timeZone}' is given, but '${name}' of ${source.label} holds numbers, which count from 1970 UTC; remove timeZone`,
    );
  }
  // What stands for a missing cell is no date.
  if (used === 'iso') return withSql(name, used, `epoch_us(${instantOf(column)}) / 1000.0`);
  const present = presentOrNull(source, name);
  // Dividing by a whole number rounds once; multiplying by 0.001 would round twice.
  const perMs = Math.round(1 / MS_PER_UNIT[used]);
  const inMs = (value: string) =>
    MS_PER_UNIT[used] >= 1 ? `${value} * ${MS_PER_UNIT[used]}.0` : `${value} / ${perMs}.0`;
  const sql = inMs(isNumber ? `CAST(${present} AS DOUBLE)` : `TRY_CAST(${present} AS DOUBLE)`);
  if (!isWhole) return withSql(name, used, sql);
  const literal = (ms: number) => Math.ceil(ms / MS_PER_UNIT[used]).toFixed(0);
  return {
    name,
    unit: used,
    sql,
    column,
    ofEnd: (end) => inMs(`CAST(${end} AS DOUBLE)`),
    between: (fromMs, toMs) => `(${column} >= ${literal(fromMs)} AND ${column} < ${literal(toMs)})`,
    since: (fromMs) => `${column} >= ${literal(fromMs)}`,
  };
}

/**
 * SQL of the instant that a text writes. The engine's cast to an instant reads a date without a zone in the zone that the date before
 * it named, so dates that name one (`UTC`, `Europe/Paris`: all but `UTC` are no timestamps without zone) have a cast of their
 * own. The two forms that most logs are written in, `…Z` and `2017-10-01 03:00:00`, are told by their shape, which spares them a second
 * cast. (The cast to a timestamp without zone passes over `+02:00` in silence; nothing of that shape has room for it.)
 */
function instantOf(text: string): string {
  const withoutZone = `TRY_CAST(${text} AS TIMESTAMP)`;
  const cast = `TRY_CAST(${text} AS TIMESTAMPTZ)`;
  return (
    `CASE WHEN suffix(${text}, 'Z') THEN ${cast} ` +
    `WHEN strlen(${text}) = 19 AND ${text}[17] = ':' THEN CAST(${withoutZone} AS TIMESTAMPTZ) ` +
    `WHEN ${withoutZone} IS NULL OR suffix(${text}, 'UTC') THEN ${cast} ELSE ${cast} END`
  );
}

function withSql(name: string, unit: TimeUnit | undefined, sql: string): TimeColumn {
  return {
    name,
    unit,
    sql,
    between: (fromMs, toMs) => `(${sql} >= ${fromMs} AND ${sql} < ${toMs})`,
    since: (fromMs) => `${sql} >= ${fromMs}`,
  };
}

async function detect(engine: Engine, source: Source, name: string, isNumber: boolean): Promise<TimeUnit> {
  const present = presentOrNull(source, name);
  const where = `${source.label}, column '${name}'`;
  const sample = isNumber
    ? `SELECT ${present} AS v FROM ${source.relation()}`
    : `SELECT ${present} AS v FROM (SELECT * FROM ${source.relation()} LIMIT ${SAMPLE_ROWS})`;
  const [row] = await engine
    .rows(
      `SELECT count(v) AS present, count(TRY_CAST(v AS DOUBLE)) AS numbers, min(TRY_CAST(v AS DOUBLE)) AS low, max(TRY_CAST(v AS DOUBLE)) AS high, ` +
        `${isNumber ? 'NULL' : 'count(TRY_CAST(v AS TIMESTAMPTZ))'} AS dates, first(CAST(v AS VARCHAR)) AS example FROM (${sample}) WHERE v IS NOT NULL`,
    )
    .catch((error: unknown) => {
      throw explainReadError(error, source);
    });
  const present_ = Number(row.present);
  if (present_ === 0) return 'ms';
  if (Number(row.numbers) * 2 >= present_) {
    const [low, high] = [Number(row.low), Number(row.high)];
    const unit = detectTimeUnit(low, high);
    if (unit) return unit;
    // A few times are far from the others: the unit of most of them is taken, and the reader names the first that does not fit.
    const [middle] = await engine.rows(
      `SELECT quantile_disc(TRY_CAST(v AS DOUBLE), 0.5) AS value FROM (${sample}) WHERE v IS NOT NULL`,
    );
    const usual = Number(middle.value);
    const ofMost = detectTimeUnit(usual, usual);
    if (ofMost) return ofMost;
    assertPlausibleTimes(`${where} (set dataset.timeUnit)`, low * guess(high), high * guess(high), unitOf(high));
    return unitOf(high);
  }
  if (Number(row.dates) > 0) return 'iso';
  throw new Error(
    `${where}: ${sqlText(String(row.example))} is neither a number nor a date; expected e.g. 1506826800000 or 2017-10-01T03:00:00Z`,
  );
}

/** The unit in which a number is nearest to today. */
function unitOf(value: number): 's' | 'ms' | 'us' | 'ns' {
  if (value < 1e11) return 's';
  if (value < 1e14) return 'ms';
  return value < 1e17 ? 'us' : 'ns';
}

function guess(value: number): number {
  return MS_PER_UNIT[unitOf(value)];
}
