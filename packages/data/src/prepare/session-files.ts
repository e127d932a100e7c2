import { emptySessions, type Sessions } from '../dataset/sessions.ts';
import { type SplitOptions, splitOfSession } from '../dataset/split-of-session.ts';
import type { SplitName } from '../dataset/windowed-dataset.ts';
import { copyToParquet } from '../parquet/duckdb-store.ts';
import { type Engine, messageOf, rawDoubles, rawInts, sqlText } from '../read/engine.ts';
import type { SpooledSession } from './window-spool.ts';

const ROWS_PER_CHUNK = 2048;

/**
 * Writes the sessions of one window as three Parquet files, one row per session: session_id, start_ms, item_codes
 * (list) and timestamps_ms (list). `train` has all of them, `valid` and `test` divide them.
 *
 * @param sessions ordered by start, then id; they are written in this order
 * @throws naming the file that cannot be written
 */
export async function writeSessionFiles(
  engine: Engine,
  sessions: readonly SpooledSession[],
  files: Readonly<Record<SplitName, string>>,
  split: SplitOptions,
): Promise<void> {
  const { BOOLEAN, DOUBLE, DuckDBDataChunk, DuckDBListValue, INTEGER, LIST, VARCHAR } = await import(
    '@duckdb/node-api'
  );
  await engine.run(
    'CREATE OR REPLACE TABLE window_sessions (session_id VARCHAR, start_ms DOUBLE, item_codes INTEGER[], timestamps_ms DOUBLE[], is_valid BOOLEAN)',
  );
  const types = [VARCHAR, DOUBLE, LIST(INTEGER), LIST(DOUBLE), BOOLEAN];
  const appender = await engine.connection.createAppender('window_sessions');
  for (let from = 0; from < sessions.length; from += ROWS_PER_CHUNK) {
    const rows = sessions.slice(from, from + ROWS_PER_CHUNK);
    const chunk = DuckDBDataChunk.create(types, rows.length);
    chunk.setColumnValues(
      0,
      rows.map(({ id }) => id),
    );
    chunk.setColumnValues(
      1,
      rows.map(({ startMs }) => startMs),
    );
    chunk.setColumnValues(
      2,
      rows.map(({ itemCodes }) => new DuckDBListValue(Array.from(itemCodes))),
    );
    chunk.setColumnValues(
      3,
      rows.map(({ timestampsMs }) => new DuckDBListValue(Array.from(timestampsMs))),
    );
    chunk.setColumnValues(
      4,
      rows.map(({ id, startMs }) => splitOfSession(id, startMs, split) === 'valid'),
    );
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
  const columns = 'SELECT session_id, start_ms, item_codes, timestamps_ms FROM window_sessions';
  await copyToParquet(engine, columns, files.train);
  await copyToParquet(engine, `${columns} WHERE is_valid`, files.valid);
  await copyToParquet(engine, `${columns} WHERE NOT is_valid`, files.test);
}

/** Reads a file that `writeSessionFiles` wrote. @throws naming the file when it is damaged */
export async function readSessionFile(engine: Engine, file: string): Promise<Sessions> {
  const { DuckDBListVector } = await import('@duckdb/node-api');
  const parts: { offsets: number[]; itemCodes: Int32Array; timestampsMs: Float64Array }[] = [];
  let numSessions = 0;
  let numEvents = 0;
  try {
    for await (const chunk of engine.stream(`SELECT item_codes, timestamps_ms FROM read_parquet(${sqlText(file)})`)) {
      const items = chunk.getColumnVector(0);
      const times = chunk.getColumnVector(1);
      if (!(items instanceof DuckDBListVector && times instanceof DuckDBListVector))
        throw new Error('expected list columns');
      const lengths: number[] = [];
      let length = 0;
      for (let row = 0; row < chunk.rowCount; row++) {
        if (items.getEntryOffset(row) !== length || times.getEntryOffset(row) !== length)
          throw new Error('lists are not contiguous');
        length += items.getEntryLength(row);
        lengths.push(numEvents + length);
      }
      // The vectors lie in the engine's memory, which the next chunk reuses: copy.
      parts.push({
        offsets: lengths,
        itemCodes: rawInts(items.childVector).slice(0, length),
        timestampsMs: rawDoubles(times.childVector).slice(0, length),
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
  };
  let session = 1;
  let event = 0;
  for (const part of parts) {
    sessions.offsets.set(part.offsets, session);
    sessions.itemCodes.set(part.itemCodes, event);
    sessions.timestampsMs.set(part.timestampsMs, event);
    session += part.offsets.length;
    event += part.itemCodes.length;
  }
  return sessions;
}
