// The merge of the items that shards have found, as the submitter of a log in shards does it, in a process of its own:
// `merge-items.bench.ts <folder> <items> <shards> [memory limit]`. Where the folder has no files yet, it writes them: every shard has
// found every item, ids are texts of 20 characters. Run it once to write and once more to measure; it prints one line of JSON.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeDictionaries } from '../src/prepare/write-dictionaries.ts';
import { datasetSchema } from '../src/read/dataset-schema.ts';
import { openEngine } from '../src/read/engine.ts';
import { connectEventLog } from '../src/read/event-log.ts';
import { sessionsSchema } from '../src/sessions/sessions-schema.ts';
import { mergeFound } from '../src/shards/merge-found.ts';

const [folder, items, shards, memoryLimit] = process.argv.slice(2);
const [numItems, numShards] = [Number(items), Number(shards)];
const log = join(folder, 'log.parquet');
const found = Array.from({ length: numShards }, (_, shard) => join(folder, `found-${shard}`));

if (existsSync(found[numShards - 1])) {
  console.log(JSON.stringify(await measure()));
} else {
  mkdirSync(folder, { recursive: true });
  await write();
}

/** A log of one event, which gives the ids their type, and what `saveFound` writes of each shard. */
async function write(): Promise<void> {
  const engine = await openEngine({ memoryLimit: '2GB', spillDirectory: join(folder, 'spill') });
  await engine.run(`COPY (SELECT 'u' AS user, 'i' AS item, 1700000000 AS time) TO '${log}' (FORMAT parquet)`);
  for (const [shard, file] of found.entries()) {
    const rows = `SELECT 'item-' || substr(md5(CAST(n AS VARCHAR)), 1, 15) AS i, CAST(hash(n, ${shard}) % 1000000000000 AS DOUBLE) AS first, 1 + n % 97 AS n FROM range(${numItems}) t(n)`;
    await engine.run(
      `COPY (SELECT *, hash(i) AS h FROM (${rows}) ORDER BY h) TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE 30720)`,
    );
  }
  engine.close();
}

async function measure(): Promise<object> {
  const scratch = join(folder, 'scratch');
  mkdirSync(scratch, { recursive: true });
  const options = { ...sessionsSchema.parse({ by: 'user' }), temporaryDirectory: scratch, memoryLimit };
  const dataset = datasetSchema.parse({ files: log, columns: { user: 'user', item: 'item', timestamp: 'time' } });
  if ('generated' in dataset) throw new Error('unreachable');
  const connected = await connectEventLog(dataset, options);
  const startMs = performance.now();
  const count = await mergeFound(
    connected,
    found,
    () => [],
    join(scratch, 'items'),
    () => '',
  );
  const mergeSeconds = (performance.now() - startMs) / 1000;
  await writeDictionaries(scratch, connected, []);
  const seconds = (performance.now() - startMs) / 1000;
  connected.close();
  if (count !== numItems) throw new Error(`expected ${numItems} items, got ${count}`);
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  return {
    numItems,
    numShards,
    mergeSeconds,
    dictionarySeconds: seconds - mergeSeconds,
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    peakMemoryMb: Math.round(maxRSS / 1024),
  };
}
