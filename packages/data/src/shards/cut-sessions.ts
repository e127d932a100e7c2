import { join } from 'node:path';
import { spoolEvents } from '../prepare/spool-sessions.ts';
import { WindowSpool } from '../prepare/window-spool.ts';
import { SpillFile } from '../read/spill-file.ts';
import { planWindows } from '../windows/plan-windows.ts';
import { reopenShard } from './find-items.ts';
import type { ShardTools } from './run-shard-job.ts';
import { type SessionsJob, type SessionsResult, shardFiles, textColumns } from './shard-job.ts';

/** A shard's events → sessions, as records in a file for each group of windows. */
export async function cutSessions(job: SessionsJob, tools: ShardTools): Promise<SessionsResult> {
  const { log, folder, shard, numRareFiles, numGroups } = job;
  const { files } = tools;
  const local = (name: string) => join(tools.folder, name);
  const textsFile = (column: number) => local(`texts-${column}`);
  await files.download(shardFiles.items(folder), local('items'));
  await files.download(shardFiles.foundItems(folder, numRareFiles, shard), local('found'));
  for (const column of textColumns(log)) await files.download(shardFiles.texts(folder, column), textsFile(column));
  const { opened } = await reopenShard(job, tools);
  try {
    await opened.useDictionary(local('items'), textsFile, local('found'));
    const plan = planWindows(opened, log.windows);
    const spool = new WindowSpool(local('spool'), plan.length, log.columns?.length);
    try {
      const counts = await spoolEvents(opened, plan, spool, log, () => {});
      const numBytes = new Array<number>(plan.length).fill(0);
      for (let group = 0; group < numGroups; group++) {
        const records = new SpillFile(local('records'));
        let total = 0;
        try {
          for (let window = group; window < plan.length; window += numGroups) {
            const bytes = spool.takeRecords(window);
            numBytes[window] = bytes.length;
            total += bytes.length;
            if (bytes.length > 0) records.append(bytes);
          }
          if (total > 0) await files.upload(shardFiles.records(folder, shard, group), local('records'));
        } finally {
          records.close();
        }
      }
      return { counts, numBytes };
    } finally {
      spool.close();
    }
  } finally {
    opened.close();
  }
}
