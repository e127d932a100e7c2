import { sha256OfFile } from '../prepare/content-key.ts';
import type { ShardTools } from './run-shard-job.ts';
import type { LookJob, LookResult } from './shard-job.ts';

/** Each file is read by one job, whatever the number of shards. */
export async function lookAtFiles({ log, fileIndices }: LookJob, { open }: ShardTools): Promise<LookResult> {
  const sha256: string[] = [];
  if (log.storedLog === undefined) {
    for (const index of fileIndices) sha256.push(await sha256OfFile(log.dataset.files[index]));
  }
  const opened = await open(log, {}, fileIndices);
  try {
    return { sha256, range: await opened.readRange() };
  } finally {
    opened.close();
  }
}
