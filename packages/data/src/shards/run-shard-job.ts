import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logOptions } from '../prepare/prepare-windows.ts';
import type { DuckDbEventLog } from '../read/duckdb-event-log.ts';
import { connectEventLog, type EventLogOptions } from '../read/event-log.ts';
import { cutSessions } from './cut-sessions.ts';
import { findItems } from './find-items.ts';
import { lookAtFiles } from './look-at-files.ts';
import { type ShardJob, type ShardResult, type SharedLog, shardFiles } from './shard-job.ts';
import type { SharedFiles } from './shared-files.ts';
import { writeGroup } from './write-group.ts';

export interface ShardJobOptions {
  readonly files: SharedFiles;
  /** Where temporary files go. Default: that of the system. */
  readonly scratch?: string;
  readonly memoryLimit?: string;
  readonly threads?: number;
}

/** What a job works with. */
export interface ShardTools {
  readonly files: SharedFiles;
  /** An empty folder. */
  readonly folder: string;
  /** Opens the log, or a shard of it; close it. */
  open(
    log: SharedLog,
    options?: Pick<EventLogOptions, 'shard'>,
    fileIndices?: readonly number[],
  ): Promise<DuckDbEventLog>;
}

/**
 * Does one piece of a preparation in shards. A piece that was done before, here or elsewhere, is not done again: its result is
 * among the shared files.
 *
 * @throws when the log or the shared files cannot be read or written
 */
export async function runShardJob(job: ShardJob, options: ShardJobOptions): Promise<ShardResult> {
  const { files, scratch = tmpdir(), memoryLimit, threads } = options;
  if (job.step !== 'look') {
    const found = await files.read(shardFiles.result(job));
    if (found) return JSON.parse(Buffer.from(found).toString('utf8')) as ShardResult;
  }
  const folder = await mkdtemp(join(scratch, 'nimue-shard-'));
  const open: ShardTools['open'] = async (log, more, fileIndices) => {
    const { dataset, storedLog } = log;
    let paths = typeof dataset.files === 'string' ? [dataset.files] : dataset.files;
    if (storedLog !== undefined) {
      paths = [join(folder, 'log.parquet')];
      await files.download(storedLog, paths[0]);
    } else if (fileIndices) paths = fileIndices.map((index) => paths[index]);
    return connectEventLog(
      { ...dataset, files: paths },
      { ...logOptions(log), ...more, timeUnits: log.timeUnits, temporaryDirectory: folder, memoryLimit, threads },
    );
  };
  try {
    const result = await work(job, { files, folder, open });
    if (job.step !== 'look') await files.write(shardFiles.result(job), JSON.stringify(result));
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function work(job: ShardJob, tools: ShardTools): Promise<ShardResult> {
  switch (job.step) {
    case 'look':
      return lookAtFiles(job, tools);
    case 'find':
      return findItems(job, tools);
    case 'sessions':
      return cutSessions(job, tools);
    case 'write':
      return writeGroup(job, tools);
  }
}
