import { emptySessions, type Sessions } from '../dataset/sessions.ts';
import { keyOfSession } from '../dataset/split-of-session.ts';
import type { SplitName } from '../dataset/windowed-dataset.ts';
import { copyToParquet } from '../parquet/duckdb-store.ts';
import { type Engine, messageOf, rawDoubles, rawInts, sqlName, sqlText } from '../read/engine.ts';
import type { SpooledSession } from './window-spool.ts';

const ROWS_PER_CHUNK = 2048;

/**
 * Writes the sessions of one window as three Parquet files, one row per session: session_id, session_key, start_ms,
 * full_length, item_codes, timestamps_ms and the carried columns (lists). `train` has all of them, `valid` and `test` divide them.
 *
 * @param sessions ordered by start, then id; they are written in this order
 * @throws naming the file that cannot be written
 */
export async function writeSessionFiles(
  engine: Engine,
  sessions: readonly SpooledSession[],
  files: Readonly<Record<SplitName, string>>,
  columnKeys: readonly string[] = [],
): Promise<void> {
  const { BOOLEAN, DOUBLE, DuckDBDataChunk, DuckDBListValue, INTEGER, LIST, VARCHAR } = await import(
    '@duckdb/node-api'
  );
  await engine.run(
    'CREATE OR REPLACE TABLE window_sessions (session_id VARCHAR, session_key INTEGER, start_ms DOUBLE, full_length INTEGER, ' +
      `item_codes INTEGER[], timestamps_ms DOUBLE[], is_valid BOOLEAN${columnKeys.map((key) => `, ${sqlName(key)} DOUBLE[]`).join('')})`,
  );
  const types = [
    VARCHAR,
    INTEGER,
    DOUBLE,
    INTEGER,
    LIST(INTEGER),
    LIST(DOUBLE),
    BOOLEAN,
    ...columnKeys.map(() => LIST(DOUBLE)),
  ];
  const appender = await engine.connection.createAppender('window_sessions');
  for (let from = 0; from < sessions.length; from += ROWS_PER_CHUNK) {
    const rows = sessions.slice(from, from + ROWS_PER_CHUNK);
    const chunk = DuckDBDataChunk.create(types, rows.length);
    const columns = [
      rows.map(({ id }) => id),
      rows.map(({ id, startMs }) => keyOfSession(id, startMs)),
      rows.map(({ startMs }) => startMs),
      rows.map(({ fullLength }) => fullLength),
      rows.map(({ itemCodes }) => new DuckDBListValue(Array.from(itemCodes))),
      rows.map(({ timestampsMs }) => new DuckDBListValue(Array.from(timestampsMs))),
      rows.map(({ isValid }) => isValid),
      ...columnKeys.map((_, c) => rows.map(({ columns }) => new DuckDBListValue(Array.from(columns[c])))),
    ];
    for (const [index, column] of columns.entries()) chunk.setColumnValues(index, column);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
  const columns = 'SELECT * EXCLUDE (is_valid) FROM window_sessions';
  await copyToParquet(engine, columns, files.train);
  await copyToParquet(engine, `${columns} WHERE is_valid`, files.valid);
  await copyToParquet(engine, `${columns} WHERE NOT is_valid`, files.test);
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
