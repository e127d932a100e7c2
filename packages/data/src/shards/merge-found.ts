import type { DuckDbEventLog } from '../read/duckdb-event-log.ts';
import { sqlText } from '../read/engine.ts';

/**
 * Writes the items (column i) that have fewer events than `minEvents` in all shards together.
 *
 * @param foundFiles files of `saveFound`, one a shard
 * @returns how many there are
 */
export async function saveRareItems(
  { tables: { engine, sql } }: DuckDbEventLog,
  foundFiles: readonly string[],
  minEvents: number,
  file: string,
): Promise<number> {
  const rare = `SELECT i FROM ${sql.itemsFrom(...foundFiles)} GROUP BY i HAVING sum(n) < ${minEvents}`;
  await engine.run(`COPY (${rare}) TO ${sqlText(file)} (FORMAT parquet)`);
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
): Promise<number> {
  const { engine, sql } = log.tables;
  await engine.run(
    'CREATE OR REPLACE TABLE items AS SELECT i, CAST(row_number() OVER (ORDER BY first, i) - 1 AS INTEGER) AS code ' +
      `FROM (SELECT i, min(first) AS first FROM ${sql.itemsFrom(...foundFiles)} GROUP BY i)`,
  );
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
