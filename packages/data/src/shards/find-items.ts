import { join } from 'node:path';
import { startRangeOf } from '../prepare/spool-sessions.ts';
import type { DuckDbEventLog } from '../read/duckdb-event-log.ts';
import type { ShardSelection } from '../read/event-log.ts';
import { planWindows } from '../windows/plan-windows.ts';
import type { ShardTools } from './run-shard-job.ts';
import { type FindJob, type FindResult, type SessionsJob, shardFiles, textColumns } from './shard-job.ts';

/** The items and texts of a shard's events, for the dictionary of the whole log. */
export async function findItems(job: FindJob, tools: ShardTools): Promise<FindResult> {
  const { log, folder, numRareFiles, shard } = job;
  const local = (name: string) => join(tools.folder, name);
  const textsFile = (column: number) => local(`texts-${column}`);
  const { opened, selection } = await selectShard(job, tools);
  try {
    const counts = await opened.saveFound(local('items'), textsFile);
    await tools.files.upload(shardFiles.foundItems(folder, numRareFiles, shard), local('items'));
    for (const column of textColumns(log)) {
      await tools.files.upload(shardFiles.foundTexts(folder, numRareFiles, shard, column), textsFile(column));
    }
    return { ...selection, ...counts };
  } finally {
    opened.close();
  }
}

/** Opens a shard and selects its events; close it. */
export async function selectShard(
  { log, folder, numShards, shard, range, numRareFiles }: FindJob | SessionsJob,
  { files, folder: scratch, open }: ShardTools,
): Promise<{ readonly opened: DuckDbEventLog; readonly selection: ShardSelection }> {
  const opened = await open(log, { shard: { index: shard, count: numShards } });
  try {
    opened.useRange(range);
    const rareFiles: string[] = [];
    for (let round = 0; round < numRareFiles; round++) {
      rareFiles.push(join(scratch, `rare-${round}`));
      await files.download(shardFiles.rareItems(folder, round), rareFiles[round]);
    }
    const selection = await opened.selectShard(startRangeOf(planWindows(opened, log.windows), opened), rareFiles);
    return { opened, selection };
  } catch (error) {
    opened.close();
    throw error;
  }
}
