import type { DuckDbEventLog } from '../read/duckdb-event-log.ts';
import { type Engine, sqlText } from '../read/engine.ts';

/** So many rows of the shards are grouped at once: more would leave the engine's memory for the disk and come back. */
const ROWS_AT_ONCE = 5_000_000;

/**
 * Writes the items (column i) that have fewer events than `minEvents` in all shards together.
 *
 * @param foundFiles files of `saveFound`, one a shard
 * @param rowsAtOnce of the files, that are grouped in memory
 * @returns how many there are
 */
export async function saveRareItems(
  { tables: { engine, sql } }: DuckDbEventLog,
  foundFiles: readonly string[],
  minEvents: number,
  file: string,
  rowsAtOnce = ROWS_AT_ONCE,
): Promise<number> {
  const found = sql.itemsFrom(...foundFiles);
  await groupFound(
    engine,
    foundFiles,
    rowsAtOnce,
    'rare',
    (range) => `SELECT i FROM ${found} WHERE ${range} GROUP BY i HAVING sum(n) < ${minEvents}`,
  );
  await engine.run(`COPY rare TO ${sqlText(file)} (FORMAT parquet)`);
  await engine.run('DROP TABLE rare');
  const [{ n }] = await engine.rows(`SELECT count(*) AS n FROM read_parquet(${sqlText(file)})`);
  return Number(n);
}

/**
 * Gives the items and texts of all shards their codes, as `select` does for a whole log, and writes them for `useDictionary`.
 * `itemIds` and `texts` of the log can be read then.
 *
 * @param foundTexts files of `saveFound` by column
 * @returns number of items
 */
export async function mergeFound(
  log: DuckDbEventLog,
  foundFiles: readonly string[],
  foundTexts: (column: number) => readonly string[],
  itemsFile: string,
  textsFile: (column: number) => string,
  rowsAtOnce = ROWS_AT_ONCE,
): Promise<number> {
  const { engine, sql } = log.tables;
  const found = sql.itemsFrom(...foundFiles);
  await groupFound(
    engine,
    foundFiles,
    rowsAtOnce,
    'merged',
    (range) => `SELECT i, min(first) AS first FROM ${found} WHERE ${range} GROUP BY i`,
  );
  await engine.run(
    'CREATE OR REPLACE TABLE items AS SELECT i, CAST(row_number() OVER (ORDER BY first, i) - 1 AS INTEGER) AS code FROM merged',
  );
  await engine.run('DROP TABLE merged');
  await log.assertExactIds();
  await engine.run(`COPY items TO ${sqlText(itemsFile)} (FORMAT parquet)`);
  for (const c of sql.textColumns) {
    await engine.run(
      `CREATE OR REPLACE TABLE texts${c} AS SELECT v, CAST(row_number() OVER (ORDER BY v) - 1 AS DOUBLE) AS code ` +
        `FROM (SELECT DISTINCT v FROM read_parquet([${foundTexts(c).map(sqlText).join(', ')}]))`,
    );
    await engine.run(`COPY texts${c} TO ${sqlText(textsFile(c))} (FORMAT parquet)`);
  }
  const [{ n }] = await engine.rows('SELECT count(*) AS n FROM items');
  return Number(n);
}

/**
 * Fills a table by a query for each range of the items' hashes. Files are in the order of the hash, so that every query reads its
 * own rows alone, and equal items fall to the same one.
 */
async function groupFound(
  engine: Engine,
  foundFiles: readonly string[],
  rowsAtOnce: number,
  table: string,
  query: (range: string) => string,
): Promise<void> {
  const [{ n }] = await engine.rows(`SELECT count(*) AS n FROM read_parquet([${foundFiles.map(sqlText).join(', ')}])`);
  const numRanges = Math.max(1, Math.ceil(Number(n) / rowsAtOnce));
  const bound = (range: number) => `CAST(${(2n ** 64n * BigInt(range)) / BigInt(numRanges)} AS UBIGINT)`;
  for (let range = 0; range < numRanges; range++) {
    const below = range + 1 < numRanges ? ` AND h < ${bound(range + 1)}` : '';
    const into = range === 0 ? `CREATE OR REPLACE TABLE ${table} AS` : `INSERT INTO ${table}`;
    await engine.run(`${into} ${query(`h >= ${bound(range)}${below}`)}`);
  }
}
