import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { copyValues } from '../dataset/copy-values.ts';
import { emptySessions, type Sessions } from '../dataset/sessions.ts';
import { keyOfSession } from '../dataset/split-of-session.ts';
import { SPLIT_NAMES, type SplitName } from '../dataset/windowed-dataset.ts';
import { type ListTableColumn, writeListTable } from '../parquet/write-lists.ts';
import { type Engine, messageOf, rawDoubles, rawInts, sqlName, sqlText } from '../read/engine.ts';
import type { WindowSessions } from './window-spool.ts';

/** File of one split, relative to the folder; a window without sessions has none. */
export function splitFile(windowId: string, split: SplitName): string {
  // `+0100`, where it occurs, is fine in a file name; a colon never occurs.
  return join(windowId, `${split}.parquet`);
}

/**
 * Writes the sessions of one window as three Parquet files, one row per session: session_id, session_key, start_ms,
 * full_length, item_codes, timestamps_ms and the carried columns (lists). `train` has all of them, `valid` and `test` divide them.
 *
 * @returns size of each file
 * @throws naming the file that cannot be written
 */
export async function writeSessionFiles(
  sessions: WindowSessions,
  files: Readonly<Record<SplitName, string>>,
  columnKeys: readonly string[] = [],
): Promise<Record<SplitName, number>> {
  const [valid, test]: [number[], number[]] = [[], []];
  sessions.isValid.forEach((isValid, s) => {
    (isValid ? valid : test).push(s);
  });
  const columns = columnsOf(sessions, columnKeys);
  const write = (split: SplitName, chosen?: readonly number[]) =>
    writeListTable(files[split], chosen?.length ?? sessions.ids.length, chosen ? rowsOf(columns, chosen) : columns);
  const sizes = await Promise.all([write('train'), write('valid', valid), write('test', test)]);
  return { train: sizes[0], valid: sizes[1], test: sizes[2] };
}

/**
 * Writes the files of a window into its folder; a window without sessions has none.
 *
 * @returns the sizes by the files' names, relative to the folder of all windows
 */
export async function writeWindow(
  directory: string,
  windowId: string,
  sessions: WindowSessions,
  columnKeys: readonly string[] = [],
): Promise<Record<string, number>> {
  if (sessions.ids.length === 0) return {};
  mkdirSync(join(directory, windowId));
  const path = (split: SplitName) => join(directory, splitFile(windowId, split));
  const paths = { train: path('train'), valid: path('valid'), test: path('test') };
  const sizes = await writeSessionFiles(sessions, paths, columnKeys);
  return Object.fromEntries(SPLIT_NAMES.map((split) => [splitFile(windowId, split), sizes[split]]));
}

function columnsOf(sessions: WindowSessions, columnKeys: readonly string[]): ListTableColumn[] {
  const { ids, startsMs, fullLengths, offsets, itemCodes, timestampsMs, columns } = sessions;
  return [
    { name: 'session_id', values: ids },
    { name: 'session_key', values: Int32Array.from(ids, (id, s) => keyOfSession(id, startsMs[s])) },
    { name: 'start_ms', values: startsMs },
    { name: 'full_length', values: fullLengths },
    { name: 'item_codes', values: itemCodes, offsets },
    { name: 'timestamps_ms', values: timestampsMs, offsets },
    ...columnKeys.map((name, c) => ({ name, values: columns[c], offsets })),
  ];
}

function rowsOf(columns: readonly ListTableColumn[], rows: readonly number[]): ListTableColumn[] {
  return columns.map((column): ListTableColumn => {
    const { name, values } = column;
    if (!('offsets' in column)) {
      if (values instanceof Int32Array) return { name, values: Int32Array.from(rows, (row) => values[row]) };
      if (values instanceof Float64Array) return { name, values: Float64Array.from(rows, (row) => values[row]) };
      return { name, values: rows.map((row) => values[row]) };
    }
    const offsets = new Int32Array(rows.length + 1);
    rows.forEach((row, r) => {
      offsets[r + 1] = offsets[r] + column.offsets[row + 1] - column.offsets[row];
    });
    const length = offsets[rows.length];
    const taken = column.values instanceof Int32Array ? new Int32Array(length) : new Float64Array(length);
    rows.forEach((row, r) => {
      copyValues(column.values, column.offsets[row], column.offsets[row + 1], taken, offsets[r]);
    });
    return { name, values: taken, offsets };
  });
}

/** Reads a file that `writeSessionFiles` wrote. @throws naming the file when it is damaged */
export async function readSessionFile(
  engine: Engine,
  file: string,
  columnKeys: readonly string[] = [],
): Promise<Sessions> {
  const { DuckDBListVector } = await import('@duckdb/node-api');
  const parts: (Omit<Required<Sessions>, 'offsets' | 'hasOnlyOrder' | 'columns'> & {
    readonly ends: number[];
    readonly columns: Float64Array[];
  })[] = [];
  let numSessions = 0;
  let numEvents = 0;
  const carried = columnKeys.map((key) => `, ${sqlName(key)}`).join('');
  const sql = `SELECT item_codes, timestamps_ms, session_key, full_length${carried} FROM read_parquet(${sqlText(file)})`;
  try {
    for await (const chunk of engine.stream(sql)) {
      const items = chunk.getColumnVector(0);
      const times = chunk.getColumnVector(1);
      const carriedLists = columnKeys.map((_, c) => chunk.getColumnVector(4 + c));
      if (!(items instanceof DuckDBListVector && times instanceof DuckDBListVector))
        throw new Error('expected list columns');
      const ends: number[] = [];
      let length = 0;
      for (let row = 0; row < chunk.rowCount; row++) {
        if (items.getEntryOffset(row) !== length || times.getEntryOffset(row) !== length)
          throw new Error('lists are not contiguous');
        length += items.getEntryLength(row);
        ends.push(numEvents + length);
      }
      const columns = carriedLists.map((list) => {
        if (!(list instanceof DuckDBListVector)) throw new Error('expected list columns');
        for (let row = 0; row < chunk.rowCount; row++) {
          if (list.getEntryOffset(row) !== items.getEntryOffset(row)) throw new Error('lists are not contiguous');
        }
        return rawDoubles(list.childVector).slice(0, length);
      });
      // The vectors lie in the engine's memory, which the next chunk reuses: copy.
      parts.push({
        ends,
        itemCodes: rawInts(items.childVector).slice(0, length),
        timestampsMs: rawDoubles(times.childVector).slice(0, length),
        sessionKeys: rawInts(chunk.getColumnVector(2)).slice(0, chunk.rowCount),
        fullLengths: rawInts(chunk.getColumnVector(3)).slice(0, chunk.rowCount),
        columns,
      });
      numSessions += chunk.rowCount;
      numEvents += length;
    }
  } catch (error) {
    throw new Error(`${file}: cannot be read: ${messageOf(error).split('\n')[0]}; prepare the data set again`);
  }
  if (numSessions === 0) return emptySessions();
  const sessions = {
    itemCodes: new Int32Array(numEvents),
    offsets: new Int32Array(numSessions + 1),
    timestampsMs: new Float64Array(numEvents),
    sessionKeys: new Int32Array(numSessions),
    fullLengths: new Int32Array(numSessions),
  };
  const columns = columnKeys.map(() => new Float64Array(numEvents));
  let session = 0;
  let event = 0;
  for (const part of parts) {
    sessions.offsets.set(part.ends, session + 1);
    sessions.itemCodes.set(part.itemCodes, event);
    sessions.timestampsMs.set(part.timestampsMs, event);
    sessions.sessionKeys.set(part.sessionKeys, session);
    sessions.fullLengths.set(part.fullLengths, session);
    for (const [c, column] of columns.entries()) column.set(part.columns[c], event);
    session += part.ends.length;
    event += part.itemCodes.length;
  }
  if (columnKeys.length === 0) return sessions;
  return { ...sessions, columns: Object.fromEntries(columnKeys.map((key, c) => [key, columns[c]])) };
}
