import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { datasetSchema } from '../read/dataset-schema.ts';
import { openEngine, sqlText } from '../read/engine.ts';
import { connectEventLog } from '../read/event-log.ts';
import { sessionsSchema } from '../sessions/sessions-schema.ts';
import { mergeFound, saveRareItems } from './merge-found.ts';

const folder = mkdtempSync(join(tmpdir(), 'nimue-merge-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('items of three shards: numbered by when they came first, whatever is grouped at once; rare ones are counted over all shards', async () => {
  const engine = await openEngine();
  const logFile = join(folder, 'log.parquet');
  await engine.run(
    `COPY (SELECT 'u' AS user, 'i' AS item, 1700000000 AS time) TO ${sqlText(logFile)} (FORMAT parquet)`,
  );
  // Item k is in the shards that do not divide it, has one event in each, and came first at 1000 - k in the first of them.
  const found = [2, 3, 5].map((shard) => join(folder, `found-${shard}`));
  for (const [s, shard] of [2, 3, 5].entries()) {
    await engine.run(
      `COPY (SELECT *, hash(i) AS h FROM (SELECT 'item ' || k AS i, CAST(1000 - k + ${s} AS DOUBLE) AS first, 1 AS n ` +
        `FROM range(1, 1000) t(k) WHERE k % ${shard} != 0) ORDER BY h) TO ${sqlText(found[s])} (FORMAT parquet)`,
    );
  }
  const items = Array.from({ length: 999 }, (_, i) => i + 1).filter((k) => k % 30 !== 0);
  const firstOf = (k: number) => 1000 - k + [2, 3, 5].findIndex((shard) => k % shard !== 0);
  const nameOf = (k: number) => `item ${k}`;
  const expected = [...items].sort((a, b) => firstOf(a) - firstOf(b) || (nameOf(a) < nameOf(b) ? -1 : 1)).map(nameOf);

  const dataset = datasetSchema.parse({ files: logFile, columns: { user: 'user', item: 'item', timestamp: 'time' } });
  if ('generated' in dataset) throw new Error('unreachable');
  const log = await connectEventLog(dataset, { ...sessionsSchema.parse({ by: 'user' }), temporaryDirectory: folder });
  for (const rowsAtOnce of [undefined, 400, 7]) {
    const count = await mergeFound(
      log,
      found,
      () => [],
      join(folder, 'items'),
      () => '',
      rowsAtOnce,
    );
    expect(count).toBe(expected.length);
    expect(await log.itemIds()).toEqual(expected);
    const rareFile = join(folder, 'rare');
    const numRare = await saveRareItems(log, found, 3, rareFile, rowsAtOnce);
    const rare = await engine.rows(`SELECT i FROM read_parquet(${sqlText(rareFile)})`);
    const isRare = (k: number) => [2, 3, 5].some((shard) => k % shard === 0);
    expect(numRare).toBe(items.filter(isRare).length);
    expect(rare.map(({ i }) => i).sort()).toEqual(items.filter(isRare).map(nameOf).sort());
  }
  log.close();
  engine.close();
});
