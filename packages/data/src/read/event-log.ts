import { join } from 'node:path';
import type { RawColumn } from '../dataset/raw-columns.ts';
import type { EventChunk } from '../sessions/sessionizer.ts';
import type { FilesDataset, TimeUnit } from './dataset-schema.ts';
import { DuckDbEventLog } from './duckdb-event-log.ts';
import { openEngine } from './engine.ts';
import type { MissingCounts } from './missing-cells.ts';
import { assertCarried, assertColumns, openSource } from './open-source.ts';
import type { SupportLimits } from './support.ts';
import { readTimeColumn } from './time-column.ts';

export interface EventLogOptions {
  /** What the events are grouped by. */
  readonly by: 'session' | 'user';
  /** Longest pause within a session of a user, in minutes. Default 30. */
  readonly gapMinutes?: number | 'none';
  /** Only events of these types. Default: all. */
  readonly eventTypes?: readonly string[];
  /** How much an event counts by its type, for a column of kind `weight`. Default: every event counts once. */
  readonly eventWeights?: Readonly<Record<string, number>>;
  /** What is too rare is left out (`minItemEvents`, `minKeyEvents`). Default: nothing. */
  readonly support?: SupportLimits;
  /** Also say whose each session is (`keys`). */
  readonly withUsers?: boolean;
  /** Columns that are carried along with the events. Default: none. */
  readonly columns?: readonly RawColumn[];
  /** Only the events of the keys whose hash falls to this shard. Default: all. */
  readonly shard?: { readonly index: number; readonly count: number };
  /** Units of the time columns, where they are known. Default: found out. */
  readonly timeUnits?: TimeUnits;
  /** An empty folder for the engine's tables and for unpacked files; the caller removes it. */
  readonly temporaryDirectory: string;
  /** Such as `500MB`; what does not fit goes to the temporary folder. Default `1GB`. */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Events are ordered on another thread, a little ahead of whoever reads them. Default: on this one. */
  readonly helperThread?: boolean;
}

/** Which sessions are wanted, by their start. */
export interface StartRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Units of the columns `timestamp` and `sessionStart`; none for a column that is a timestamp by its type. */
export interface TimeUnits {
  readonly timestamp?: TimeUnit;
  readonly sessionStart?: TimeUnit;
}

/** Number of events and their times, NaN where there are none. */
export interface LogRange {
  readonly numEvents: number;
  /** Events without a time or place in the order. */
  readonly numUntimed: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Of the stated session starts, or of the events where the log states none. */
  readonly firstStartMs: number;
  readonly lastStartMs: number;
}

/** What of a shard's events was left out, the rare ones apart. */
export interface ShardSelection extends Pick<SelectedEvents, 'missing' | 'numOtherTypeEvents'> {
  /** Events by type, where only some types are wanted. */
  readonly eventTypeCounts: Readonly<Record<string, number>>;
}

/** What is selected. */
export interface CountedIds extends Pick<SelectedEvents, 'numEvents' | 'numKeys' | 'numItems'> {
  /** Keys and items that stand for a missing cell. */
  readonly numMissingIds: number;
}

/** What `EventLog.select` found. */
export interface SelectedEvents {
  readonly numEvents: number;
  /** Sessions, or users when grouped by user. */
  readonly numKeys: number;
  readonly numItems: number;
  /** Events left out because a cell is missing (`onMissing: drop`). */
  readonly missing: MissingCounts;
  /** Events left out because of their type. */
  readonly numOtherTypeEvents: number;
  /** Events left out because their item, user or session is too rare. */
  readonly numRareEvents: number;
}

/** What a key stands for. */
export interface KeyIds {
  /** The session's or user's raw id. */
  readonly id: string;
  /** The user's raw id, when asked for; the least one when a session has events of several. */
  readonly user?: string;
}

/** An event log, read by the engine; memory does not grow with it. Close it. */
export interface EventLog {
  /** False for a log that has an order but no times: events then carry their places 0, 1, 2 … in their key for times. */
  readonly hasTimes: boolean;
  /** First and last session start, or first and last event where the log does not state session starts. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Loads the events of all sessions that start in the range, or of all sessions. */
  select(range?: StartRange): Promise<SelectedEvents>;
  /**
   * The selected events ordered by key, time, and, where times are equal, by the order column and their order in the
   * log. Keys and items are codes: keys in no particular order, items in order of first appearance in time (equal times:
   * by raw id; without times: in the log).
   */
  events(): AsyncGenerator<EventChunk>;
  /** Raw ids by key, chunk by chunk. */
  keys(): AsyncGenerator<KeyIds[]>;
  /** Raw item ids by code. */
  itemIds(): Promise<string[]>;
  /** Values of the text columns that are carried along, by name and code. */
  texts(): Promise<Record<string, string[]>>;
  close(): void;
}

/**
 * Opens a log of events in CSV, TSV or Parquet files.
 *
 * @throws when a file or column is missing, the log is empty, or its times are in the wrong unit
 *
 * @example
 * const log = await openEventLog(dataset, { by: 'session', temporaryDirectory });
 * await log.select();
 * for await (const chunk of log.events()) sessionizer.push(chunk);
 * log.close();
 */
export async function openEventLog(dataset: FilesDataset, options: EventLogOptions): Promise<EventLog> {
  const log = await connectEventLog(dataset, options);
  try {
    await log.open();
    return log;
  } catch (error) {
    log.close();
    throw error;
  }
}

/**
 * The log before any of its events is read.
 *
 * @throws when a file or column is missing
 */
export async function connectEventLog(dataset: FilesDataset, options: EventLogOptions): Promise<DuckDbEventLog> {
  const engine = await openEngine({
    databaseFile: join(options.temporaryDirectory, 'engine.duckdb'),
    spillDirectory: join(options.temporaryDirectory, 'spill'),
    memoryLimit: options.memoryLimit,
    threads: options.threads,
    timeZone: dataset.timeZone,
  });
  try {
    const keyName = keyColumn(dataset, options.by);
    const asksTypes = (['eventTypes', 'eventWeights'] as const).find((name) => options[name] !== undefined);
    if (asksTypes && dataset.columns.event === undefined) {
      throw new Error(
        `dataset.columns.event: missing, but sessions.${asksTypes} is given; name the column of event types`,
      );
    }
    if (options.withUsers && dataset.columns.user === undefined) {
      throw new Error("dataset.columns.user: missing, but split.by is 'user'; name the column");
    }
    const source = await openSource(engine, dataset, options.temporaryDirectory);
    assertColumns(source, dataset.columns);
    assertCarried(source, options.columns ?? []);
    const timeOf = async (role: 'timestamp' | 'sessionStart') => {
      const name = dataset.columns[role];
      if (name === undefined) return undefined;
      const timeUnit = options.timeUnits?.[role] ?? dataset.timeUnit;
      return readTimeColumn(engine, source, name, { ...dataset, timeUnit });
    };
    const time = await timeOf('timestamp');
    const start = await timeOf('sessionStart');
    return new DuckDbEventLog(engine, source, dataset, options, keyName, time, start);
  } catch (error) {
    engine.close();
    throw error;
  }
}

function keyColumn(dataset: FilesDataset, by: 'session' | 'user'): string {
  const name = dataset.columns[by];
  if (name === undefined) {
    const other = by === 'session' ? 'user' : 'session';
    throw new Error(
      `dataset.columns.${by}: missing, but sessions.by is '${by}'; name the column, or set sessions.by to '${other}'`,
    );
  }
  if (dataset.columns.timestamp === undefined && dataset.columns.sessionStart !== undefined) {
    throw new Error('dataset.columns.sessionStart: only for a log with times; map dataset.columns.timestamp too');
  }
  if (by === 'user' && dataset.columns.sessionStart !== undefined) {
    throw new Error(
      "dataset.columns.sessionStart: only for sessions.by 'session'; a user's session starts with its first event",
    );
  }
  return name;
}
