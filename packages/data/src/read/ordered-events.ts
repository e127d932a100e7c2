import { join } from 'node:path';
import type { EventChunk } from '../sessions/sessionizer.ts';
import { type Engine, rawDoubles, rawHashes } from './engine.ts';
import { EventSorter } from './event-sorter.ts';
import { HashCodes } from './hash-codes.ts';
import { orderedElsewhere } from './sort-thread.ts';

/** The events that are wanted, in the engine's tables: `events`, `items` (i, code), and `texts<n>` (v, code) of every column of texts. */
export interface EventQuery {
  /** SQL of the events: `events`, and what they have to meet. */
  readonly from: string;
  /** SQL of what tells keys apart, and items. */
  readonly keyHash: string;
  readonly itemHash: string;
  /** SQL of numbers that rise with the log. */
  readonly placeSql: string;
  /** `t` is a time; otherwise the place of an event in its key stands for one. */
  readonly hasTimes: boolean;
  /** There is a column `o` that orders equal times. */
  readonly hasOrder: boolean;
  /** There is a column `s`, the start of the session. */
  readonly hasStarts: boolean;
  /** Columns `f0`, `f1` … that go along with the events. */
  readonly numColumns: number;
  /** Numbers of those that hold texts. */
  readonly textColumns: readonly number[];
  readonly numEvents: number;
  readonly numItems: number;
  readonly temporaryDirectory: string;
  /** Orders on another thread. */
  readonly helperThread?: boolean;
}

/** Events by key, time, order and place, items and texts as codes. @throws when the log was changed while it was being read */
export async function* orderedEvents(engine: Engine, query: EventQuery): AsyncGenerator<EventChunk> {
  const { hasOrder, hasStarts, numColumns, numEvents, numItems, temporaryDirectory } = query;
  const items = await HashCodes.read(engine, `SELECT ${query.itemHash}, code FROM items`, numItems);
  const sorter = new EventSorter({
    numEvents,
    hasOrder,
    hasStarts,
    numColumns,
    file: join(temporaryDirectory, 'events-to-order'),
  });
  try {
    for await (const chunk of engine.stream(selectEvents(query))) {
      const doubles = (column: number) => rawDoubles(chunk.getColumnVector(column));
      const firstCarried = 4 + (hasOrder ? 1 : 0) + (hasStarts ? 1 : 0);
      sorter.push({
        length: chunk.rowCount,
        keyHashes: rawHashes(chunk.getColumnVector(0)),
        itemCodes: items.codesOf(rawHashes(chunk.getColumnVector(1)), chunk.rowCount),
        timestampsMs: doubles(2),
        places: doubles(3),
        ...(hasOrder && { orders: doubles(4) }),
        ...(hasStarts && { startsMs: doubles(hasOrder ? 5 : 4) }),
        columns: Array.from({ length: numColumns }, (_, c) => doubles(firstCarried + c)),
      });
    }
    const last = { key: -1, place: 0 };
    const ordered = query.helperThread
      ? orderedElsewhere(sorter, join(temporaryDirectory, 'events-dealt-out-again'))
      : sorter.ordered();
    for await (const chunk of ordered) {
      yield query.hasTimes ? chunk : { ...chunk, timestampsMs: placesInKeys(chunk.keys, chunk.length, last) };
    }
  } finally {
    sorter.close();
  }
}

/** SQL of the hashes of key and item, time, place, order and start where there are any, and the further columns as doubles. */
function selectEvents({ from, keyHash, itemHash, placeSql, hasOrder, hasStarts, ...query }: EventQuery): string {
  const columns = [
    `${keyHash} AS key_hash`,
    `${itemHash} AS item_hash`,
    't',
    `CAST(${placeSql} AS DOUBLE) AS place`,
    ...(hasOrder ? ['o'] : []),
    ...(hasStarts ? ['s'] : []),
  ];
  const names = Array.from({ length: query.numColumns }, (_, c) => `f${c}`);
  if (names.length === 0) return `SELECT ${columns.join(', ')} FROM ${from}`;
  const { textColumns } = query;
  const joins = textColumns.map((c) => ` LEFT JOIN texts${c} ON e.f${c} = texts${c}.v`).join('');
  const carried = names.map(
    (name, c) => `coalesce(${textColumns.includes(c) ? `texts${c}.code` : `e.${name}`}, 'nan'::DOUBLE)`,
  );
  return (
    `SELECT e.* EXCLUDE (${names.join(', ')}), ${carried.join(', ')} ` +
    `FROM (SELECT ${[...columns, ...names].join(', ')} FROM ${from}) e${joins}`
  );
}

/** The place of every event in its key, counted on from chunk to chunk. */
function placesInKeys(keys: Int32Array, length: number, last: { key: number; place: number }): Float64Array {
  const places = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    last.place = keys[i] === last.key ? last.place + 1 : 0;
    last.key = keys[i];
    places[i] = last.place;
  }
  return places;
}
