import { join } from 'node:path';
import { startRangeOf } from '../prepare/spool-sessions.ts';
import type { DuckDbEventLog } from '../read/duckdb-event-log.ts';
import type { ShardSelection, StartRange } from '../read/event-log.ts';
import { planWindows } from '../windows/plan-windows.ts';
import type { ShardTools } from './run-shard-job.ts';
import { type FindJob, type FindResult, type SessionsJob, shardFiles, textColumns } from './shard-job.ts';

/** The items and texts of a shard's events, for the dictionary of the whole log. */
export async function findItems(job: FindJob, tools: ShardTools): Promise<FindResult> {
  const { log, folder, numRareFiles, shard } = job;
  const local = (name: string) => join(tools.folder, name);
  const textsFile = (column: number) => local(`texts-${column}`);
  const { opened, selection, numRareEvents } = await (numRareFiles === 0
    ? readShard(job, tools)
    : reopenShard(job, tools));
  try {
    const counts = await opened.saveFound(local('items'), textsFile);
    await tools.files.upload(shardFiles.foundItems(folder, numRareFiles, shard), local('items'));
    for (const column of textColumns(log)) {
      await tools.files.upload(shardFiles.foundTexts(folder, numRareFiles, shard, column), textsFile(column));
    }
    return { ...selection, ...counts, numRareEvents };
  } finally {
    opened.close();
  }
}

interface OpenedShard {
  readonly opened: DuckDbEventLog;
  readonly selection: ShardSelection;
  readonly numRareEvents: number;
}

/** Reads a shard out of the log and keeps its events among the shared files; close it. */
async function readShard(job: FindJob, tools: ShardTools): Promise<OpenedShard> {
  const { folder, shard } = job;
  const eventsFile = join(tools.folder, 'events');
  return openShard(job, tools, async (opened, range) => {
    const selection = await opened.selectShard(range, eventsFile);
    await tools.files.upload(shardFiles.events(folder, shard), eventsFile);
    return { opened, selection, numRareEvents: 0 };
  });
}

/** Opens what `readShard` kept of a shard, without what has been found to be rare; close it. */
export async function reopenShard(job: FindJob | SessionsJob, tools: ShardTools): Promise<OpenedShard> {
  const { folder, shard, numRareFiles } = job;
  const { files } = tools;
  const local = (name: string) => join(tools.folder, name);
  const firstName = shardFiles.result({ ...job, step: 'find', numRareFiles: 0 });
  const first = await files.read(firstName);
  if (!first) throw new Error(`prepareInShards: ${firstName} is not among the shared files; begin again`);
  const { missing, numOtherTypeEvents, eventTypeCounts } = JSON.parse(
    Buffer.from(first).toString('utf8'),
  ) as FindResult;
  await files.download(shardFiles.events(folder, shard), local('events'));
  const rareFiles: string[] = [];
  for (let round = 0; round < numRareFiles; round++) {
    rareFiles.push(local(`rare-${round}`));
    await files.download(shardFiles.rareItems(folder, round), rareFiles[round]);
  }
  return openShard(job, tools, async (opened, range) => {
    const numRareEvents = await opened.selectKept(range, local('events'), rareFiles);
    return { opened, selection: { missing, numOtherTypeEvents, eventTypeCounts }, numRareEvents };
  });
}

async function openShard(
  { log, numShards, shard, range }: FindJob | SessionsJob,
  { open }: ShardTools,
  select: (opened: DuckDbEventLog, range: StartRange | undefined) => Promise<OpenedShard>,
): Promise<OpenedShard> {
  const opened = await open(log, { shard: { index: shard, count: numShards } });
  try {
    opened.useRange(range);
    return await select(opened, startRangeOf(planWindows(opened, log.windows), opened));
  } catch (error) {
    opened.close();
    throw error;
  }
}
