import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createRandom } from '../random/random.ts';
import { openEngine } from './engine.ts';
import { EventSorter, type EventSorterOptions } from './event-sorter.ts';
import { chooseHash, HashCodes } from './hash-codes.ts';
import { orderOfRecords, PLACE, TIME } from './sort-records.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-sorter-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Event {
  readonly hash: bigint;
  readonly time: number;
  readonly order: number;
}

/** Numbers of the events in the order in which they come out, with their keys; the item code is the number. */
function sorted(events: readonly Event[], options: Partial<EventSorterOptions> = {}, chunkSize = 7) {
  const file = join(folder, 'events');
  const sorter = new EventSorter({
    numEvents: events.length,
    hasOrder: true,
    hasStarts: true,
    numColumns: 2,
    file,
    ...options,
  });
  // Chunks come in any order, as from several threads.
  const starts = Array.from({ length: Math.ceil(events.length / chunkSize) }, (_, c) => c * chunkSize).reverse();
  for (const from of starts) {
    const part = events.slice(from, from + chunkSize);
    const column = (of: (event: Event, e: number) => number) =>
      Float64Array.from(part, (event, e) => of(event, from + e));
    sorter.push({
      length: part.length,
      keyHashes: Int32Array.from(part.flatMap(({ hash }) => [Number(hash & 0xffff_ffffn), Number(hash >> 32n)])),
      itemCodes: Int32Array.from(part, (_, e) => from + e),
      timestampsMs: column(({ time }) => time),
      places: column((_, e) => e * 1e9),
      orders: column(({ order }) => order),
      startsMs: column((_, e) => -e),
      columns: [column((_, e) => e / 3), column(() => Number.NaN)],
    });
  }
  const chunks = [...sorter.ordered()];
  sorter.close();
  expect(existsSync(file)).toBe(false);
  const found: number[] = [];
  for (const { itemCodes, timestampsMs, startsMs, columns, length } of chunks) {
    for (let e = 0; e < length; e++) {
      const number = itemCodes[e];
      const along = [timestampsMs[e], startsMs?.[e], columns?.[0][e], columns?.[1][e]];
      const own = [events[number].time, -number, number / 3, Number.NaN];
      if (!along.every((value, c) => Object.is(value, own[c]))) expect(along).toEqual(own);
      found.push(number);
    }
  }
  return {
    items: found,
    keys: chunks.flatMap(({ keys, length }) => [...keys.subarray(0, length)]),
    numChunks: chunks.length,
  };
}

function naive(events: readonly Event[]) {
  const items = events
    .map((event, number) => ({ ...event, number }))
    .sort((a, b) =>
      a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : a.time - b.time || a.order - b.order || a.number - b.number,
    )
    .map(({ number }) => number);
  const hashes = [...new Set(items.map((number) => events[number].hash))];
  return { items, keys: items.map((number) => hashes.indexOf(events[number].hash)) };
}

const hash = fc.constantFrom(
  0n,
  1n,
  0xffff_ffffn,
  0x8000_0000_0000_0000n,
  0x8000_0000_0000_0001n,
  0xffff_ffff_ffff_ffffn,
  0x1234_5678_9abc_def0n,
);
const time = fc.oneof(
  fc.nat(5),
  fc.integer({ min: 1_100_000_000_000, max: 1_250_000_000_000 }),
  fc.nat(3000).map((n) => 1_500_000_000_000 + n / 1000),
);

test('equals a plain sort, in one part or dealt out again and again', () => {
  const event = fc.record({ hash, time, order: fc.nat(2) });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 90 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(3, 20, 1000),
      (events, chunkSize, maxEvents) => {
        const { items, keys, numChunks } = sorted(events, { maxEvents }, chunkSize);
        expect({ items, keys }).toEqual(naive(events));
        if (maxEvents === 1000) expect(numChunks).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 200, seed: 11 },
  );
});

test('runs of one key, by insertion, by digits or by comparison: times near together and far apart, many of them equal', () => {
  for (const [length, spread] of [
    [2, 2 ** 30],
    [24, 2 ** 30],
    [25, 2 ** 30],
    [510, 2 ** 30],
    [512, 2 ** 30],
    [5000, 1],
    [5000, 2],
    [5000, 900],
    [5001, 2 ** 23],
    [3000, 2 ** 43],
    // Too far apart for the digits.
    [3000, 2 ** 45],
  ]) {
    const doubles = new Float64Array(4 * length);
    const random = createRandom(length);
    for (let e = 0; e < length; e++) {
      doubles[4 * e + TIME] = Math.floor(random() * spread) - 1000;
      doubles[4 * e + PLACE] = (e * 7) % length;
    }
    const records = { doubles, ints: new Int32Array(doubles.buffer), width: 4, length };
    for (let e = 0; e < length; e++) records.ints[2 * (4 * e + 3)] = e + 70;
    const expected = Array.from({ length }, (_, e) => e).sort(
      (a, b) => doubles[4 * a + TIME] - doubles[4 * b + TIME] || doubles[4 * a + PLACE] - doubles[4 * b + PLACE],
    );
    const { order, times, itemCodes, ends } = orderOfRecords(records);
    expect(Array.from(order)).toEqual(expected);
    expect(Array.from(times)).toEqual(expected.map((e) => doubles[4 * e + TIME]));
    expect(Array.from(itemCodes)).toEqual(expected.map((e) => e + 70));
    expect(Array.from(ends)).toEqual([length]);
  }
});

test('a log far beyond the memory of a part: through the file, one key with most of the events', () => {
  const events = Array.from({ length: 20_000 }, (_, e) => ({
    hash: e % 3 === 0 ? BigInt(e % 999) << 40n : 77n,
    time: 1_400_000_000_000 + ((e * 7919) % 50_000),
    order: e % 2,
  }));
  const { items, keys, numChunks } = sorted(events, { maxEvents: 2000, numEvents: 100 }, 2048);
  const expected = naive(events);
  expect(Buffer.from(Int32Array.from(items).buffer).equals(Buffer.from(Int32Array.from(expected.items).buffer))).toBe(
    true,
  );
  expect(keys).toEqual(expected.keys);
  expect(numChunks).toBeGreaterThan(8);
});

test('a file that cannot be written is named', () => {
  const sorter = new EventSorter({ numEvents: 1, file: join(folder, 'none', 'events') });
  const length = 9000;
  const zeros = new Float64Array(length);
  const chunk = {
    length,
    keyHashes: new Int32Array(2 * length),
    itemCodes: new Int32Array(length),
    timestampsMs: zeros,
    places: zeros,
  };
  expect(() => sorter.push(chunk)).toThrow(/none.events: cannot be written: ENOENT/);
});

test('codes by hash, and a hash that tells all values apart', async () => {
  const engine = await openEngine();
  await engine.run("CREATE TABLE items AS SELECT 'i' || range AS i, CAST(range AS INTEGER) AS code FROM range(5000)");
  expect(await chooseHash(engine, 'items', 'i')).toBe('hash(i)');
  expect(await chooseHash(engine, 'items', 'i', ['hash(code // 2)', 'hash(code)'])).toBe('hash(code)');
  await expect(chooseHash(engine, 'items', 'i', ['hash(code // 2)'])).rejects.toThrow(
    'two values of items have the same hash',
  );
  const codes = await HashCodes.read(engine, 'SELECT hash(i), code FROM items', 5000);
  const hashes = Int32Array.from([3, 9, 2 ** 32 - 1, 9]);
  for (let n = 0; n < 2; n++) codes.add(hashes[2 * n], hashes[2 * n + 1], 70 + n);
  expect([...codes.codesOf(hashes, 2)]).toEqual([70, 71]);
  expect(() => codes.codesOf(Int32Array.of(1, 1), 1)).toThrow('the log was changed while it was being read');
  engine.close();
});
