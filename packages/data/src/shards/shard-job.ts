import type { RawColumn } from '../dataset/raw-columns.ts';
import type { SplitOptions } from '../dataset/split-of-session.ts';
import type { FilesDataset } from '../read/dataset-schema.ts';
import type { CountedIds, LogRange, ShardSelection, TimeUnits } from '../read/event-log.ts';
import type { SessionizerCounts } from '../sessions/sessionizer.ts';
import type { SessionsConfig } from '../sessions/sessions-schema.ts';
import type { WindowsConfig } from '../windows/windows-schema.ts';

/** A log that several processes read, and how: plain JSON. */
export interface SharedLog {
  /** Its files are absolute paths that every process sees. */
  readonly dataset: FilesDataset;
  /** Instead of the files of `dataset`: the name of a log among the shared files. */
  readonly storedLog?: string;
  readonly sessions: SessionsConfig;
  readonly windows: WindowsConfig;
  readonly split?: SplitOptions;
  readonly columns?: readonly RawColumn[];
  readonly timeUnits: TimeUnits;
}

/** Hashes some of the files and finds their first and last times. */
export interface LookJob {
  readonly step: 'look';
  readonly log: SharedLog;
  /** Numbers of the files. */
  readonly fileIndices: readonly number[];
}

export interface LookResult {
  /** Of each file; none of a stored log. */
  readonly sha256: readonly string[];
  readonly range: LogRange;
}

/** What the jobs of all shards have in common. */
export interface JobOfShards {
  readonly log: SharedLog;
  /** Where among the shared files the shards exchange theirs. */
  readonly folder: string;
  readonly numShards: number;
  /** Of the whole log. */
  readonly range: LogRange;
  /** So many files of rare items are left out, one after the other. */
  readonly numRareFiles: number;
}

/** Finds the items and texts of a shard. The first time it reads the log and keeps the shard's events. */
export interface FindJob extends JobOfShards {
  readonly step: 'find';
  readonly shard: number;
}

export interface FindResult extends ShardSelection, CountedIds {
  /** Events that the rounds done so far have left out. */
  readonly numRareEvents: number;
}

/** Cuts a shard's events into sessions, by groups of windows: window w is in group w modulo `numGroups`. */
export interface SessionsJob extends JobOfShards {
  readonly step: 'sessions';
  readonly shard: number;
  readonly numGroups: number;
}

export interface SessionsResult {
  readonly counts: SessionizerCounts & { readonly numSessionsOutside: number };
  /** Length of each window's records in the file of its group, where they lie in the order of the windows. */
  readonly numBytes: readonly number[];
}

/** Joins what the shards have of a group of windows. */
export interface WriteJob extends JobOfShards {
  readonly step: 'write';
  readonly group: number;
  readonly numGroups: number;
  /** Name of the prepared data set: its files are `prepared/<name>/…`. */
  readonly name: string;
}

export interface WriteResult {
  readonly windows: readonly { readonly index: number; readonly numSessions: number; readonly numEvents: number }[];
  /** Sizes, by names relative to the prepared data set. */
  readonly files: Readonly<Record<string, number>>;
}

/** A piece of the preparation of a log, for any process that sees the log and the shared files: plain JSON. */
export type ShardJob = LookJob | FindJob | SessionsJob | WriteJob;

/** What comes out of a piece: plain JSON. */
export type ShardResult = LookResult | FindResult | SessionsResult | WriteResult;

/** Names of what the shards exchange. */
export const shardFiles = {
  events: (folder: string, shard: number): string => `${folder}/events/${shard}.parquet`,
  rareItems: (folder: string, round: number): string => `${folder}/rare-${round}.parquet`,
  foundItems: (folder: string, numRareFiles: number, shard: number): string =>
    `${folder}/found-${numRareFiles}/items-${shard}.parquet`,
  foundTexts: (folder: string, numRareFiles: number, shard: number, column: number): string =>
    `${folder}/found-${numRareFiles}/texts-${shard}-${column}.parquet`,
  items: (folder: string): string => `${folder}/items.parquet`,
  texts: (folder: string, column: number): string => `${folder}/texts-${column}.parquet`,
  records: (folder: string, shard: number, group: number): string => `${folder}/records/${shard}-${group}`,
  /** Of a job that has put everything else among the shared files. */
  result: (job: FindJob | SessionsJob | WriteJob): string =>
    job.step === 'write'
      ? `${job.folder}/write-${job.group}.json`
      : `${job.folder}/${job.step}-${job.numRareFiles}-${job.shard}.json`,
};

/** Columns that are carried as texts. */
export function textColumns({ columns = [] }: Pick<SharedLog, 'columns'>): number[] {
  return columns.flatMap(({ kind }, c) => (kind === 'text' ? [c] : []));
}
