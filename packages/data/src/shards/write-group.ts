import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { keyOfColumn } from '../dataset/raw-columns.ts';
import { eachAtOnce, WRITTEN_AT_ONCE } from '../prepare/each-at-once.ts';
import { writeWindow } from '../prepare/session-files.ts';
import { sessionsOfRecords, Words } from '../prepare/window-spool.ts';
import { planWindows } from '../windows/plan-windows.ts';
import type { ShardTools } from './run-shard-job.ts';
import { type SessionsResult, shardFiles, type WriteJob, type WriteResult } from './shard-job.ts';

/** Windows whose records are larger are in memory one at a time. */
const LARGE_BYTES = 64 * 2 ** 20;

/** The records that all shards have of a group of windows → their files. */
export async function writeGroup(job: WriteJob, { files, folder: scratch }: ShardTools): Promise<WriteResult> {
  const { log, folder, numShards, range, group, numGroups, name } = job;
  const plan = planWindows({ firstMs: range.firstStartMs, lastMs: range.lastStartMs }, log.windows);
  const indices: number[] = [];
  for (let window = group; window < plan.length; window += numGroups) indices.push(window);

  /** By window, where the records of every shard lie. */
  const pieces = new Map<number, { readonly path: string; readonly at: number; readonly numBytes: number }[]>();
  for (let shard = 0; shard < numShards; shard++) {
    const resultName = shardFiles.result({ ...job, step: 'sessions', shard });
    const text = await files.read(resultName);
    if (!text) throw new Error(`prepareInShards: ${resultName} is not among the shared files; begin again`);
    const { numBytes } = JSON.parse(Buffer.from(text).toString('utf8')) as SessionsResult;
    if (indices.every((window) => numBytes[window] === 0)) continue;
    const path = join(scratch, `records-${shard}`);
    await files.download(shardFiles.records(folder, shard, group), path);
    let at = 0;
    for (const window of indices) {
      pieces.set(window, [...(pieces.get(window) ?? []), { path, at, numBytes: numBytes[window] }]);
      at += numBytes[window];
    }
  }

  const windows: WriteResult['windows'][number][] = [];
  const sizes: Record<string, number> = {};
  const columnKeys = log.columns?.map(keyOfColumn);
  const directory = join(scratch, 'windows');
  await mkdir(directory);
  const bytesOf = (window: number) => (pieces.get(window) ?? []).reduce((sum, { numBytes }) => sum + numBytes, 0);
  const write = async (index: number) => {
    const parts = pieces.get(index) ?? [];
    const all = new Words(bytesOf(index) / 8);
    let at = 0;
    for (const part of parts) {
      await readInto(all.bytes.subarray(at, at + part.numBytes), part.path, part.at);
      at += part.numBytes;
    }
    const sessions = sessionsOfRecords(all, log.columns?.length ?? 0);
    windows.push({ index, numSessions: sessions.ids.length, numEvents: sessions.itemCodes.length });
    const written = await writeWindow(directory, plan[index].id, sessions, columnKeys);
    for (const [file, size] of Object.entries(written)) {
      await files.upload(`prepared/${name}/${file}`, join(directory, file));
      await rm(join(directory, file));
      sizes[file] = size;
    }
  };
  const hasLarge = indices.some((window) => bytesOf(window) > LARGE_BYTES);
  await eachAtOnce(indices, hasLarge ? 1 : WRITTEN_AT_ONCE, write);
  return { windows, files: sizes };
}

async function readInto(bytes: Uint8Array, path: string, position: number): Promise<void> {
  if (bytes.length === 0) return;
  const file = await open(path);
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, position + done);
      if (bytesRead === 0) throw new Error(`${path}: ends before byte ${position + bytes.length}`);
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
}
