import type { FilesDataset } from './dataset-schema.ts';
import { type Engine, sqlName } from './engine.ts';
import { orderSql, presentOrNull, type Source } from './open-source.ts';
import type { TimeColumn } from './time-column.ts';

/** How many events lack which cell; an event that lacks several is counted in each, but once in `numEvents`. */
export interface MissingCounts {
  readonly numEvents: number;
  readonly key: number;
  readonly item: number;
  readonly timestamp: number;
  /** Events without a place in the order, where the log has a column for it. */
  readonly order: number;
}

export const NOTHING_MISSING: MissingCounts = { numEvents: 0, key: 0, item: 0, timestamp: 0, order: 0 };

/** SQL of the table `events`: a cell is missing. */
export const IS_INCOMPLETE = 'k IS NULL OR i IS NULL OR t IS NULL OR o IS NULL';

/** Counts in the engine's table `events` (columns k, i, t, o). */
export async function countMissing(engine: Engine): Promise<MissingCounts> {
  const [row] = await engine.rows(
    `SELECT count(*) FILTER (${IS_INCOMPLETE}) AS n, count(*) FILTER (k IS NULL) AS k, ` +
      'count(*) FILTER (i IS NULL) AS i, count(*) FILTER (t IS NULL) AS t, count(*) FILTER (o IS NULL) AS o FROM events',
  );
  return {
    numEvents: Number(row.n),
    key: Number(row.k),
    item: Number(row.i),
    timestamp: Number(row.t),
    order: Number(row.o),
  };
}

/** @throws naming the first row that lacks a cell, or holds a time that cannot be read, and how many there are */
export async function assertNothingMissing(
  engine: Engine,
  source: Source,
  dataset: FilesDataset,
  by: 'session' | 'user',
  time: TimeColumn | undefined,
): Promise<void> {
  const { order } = dataset.columns;
  const checks = [
    { role: 'item', name: dataset.columns.item, bad: isMissing(source, dataset.columns.item) },
    ...(time ? [{ role: 'timestamp', name: time.name, bad: `${time.sql} IS NULL` }] : []),
    ...(order ? [{ role: 'order', name: order, bad: `${orderSql(source, order)} IS NULL` }] : []),
    { role: by, name: dataset.columns[by] ?? '', bad: isMissing(source, dataset.columns[by] ?? '') },
  ];
  for (const { role, name, bad } of checks) {
    const found = await firstRow(engine, source, name, bad);
    if (!found) continue;
    const cell = found.cell.trim();
    const isBlank = cell === '' || /^(null|\\n)$/i.test(cell);
    const isNaNCell = /^nan$/i.test(cell);
    const what = isBlank
      ? 'is empty'
      : isNaNCell
        ? `is NaN, which is no ${role === 'timestamp' ? 'time' : role === 'order' ? 'place in an order' : 'id'}`
        : `is '${found.cell}', which cannot be read as a ${role === 'timestamp' && time?.unit === 'iso' ? 'date' : 'number'}`;
    throw new Error(
      `${found.place}: column '${name}' (${role}) ${what}; ${found.such}. Correct the file, or set dataset.onMissing to 'drop'`,
    );
  }
}

/** @throws what `explain` makes of the first row whose cell is missing (file, row and column) and of their number */
export async function assertPresent(
  engine: Engine,
  source: Source,
  name: string,
  role: string,
  explain: (where: string, such: string) => string,
): Promise<void> {
  const found = await firstRow(engine, source, name, isMissing(source, name));
  if (found) throw new Error(explain(`${found.place}: column '${name}' (${role})`, found.such));
}

function isMissing(source: Source, name: string): string {
  return `${presentOrNull(source, name)} IS NULL`;
}

/** The first row that meets a condition, with its cell, and how many of its file do. */
async function firstRow(
  engine: Engine,
  source: Source,
  name: string,
  condition: string,
): Promise<{ readonly place: string; readonly cell: string; readonly such: string } | undefined> {
  for (const [fileIndex, { path }] of source.files.entries()) {
    const numbered = `SELECT row_number() OVER () AS n, CAST(${sqlName(name)} AS VARCHAR) AS cell, ${condition} AS bad FROM ${source.relation(fileIndex)}`;
    const [row] = await engine.rows(
      `SELECT count(*) AS count, min(n) AS first, arg_min(coalesce(cell, ''), n) AS cell FROM (${numbered}) WHERE bad`,
    );
    const count = Number(row.count);
    if (count === 0) continue;
    const place = `${path}, ${source.placeOf(Number(row.first))}`;
    return { place, cell: String(row.cell), such: `${count} such ${count === 1 ? 'row' : 'rows'}` };
  }
  return undefined;
}
