import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { RawColumn } from '../dataset/raw-columns.ts';
import { datasetSchema } from '../read/dataset-schema.ts';
import { sessionsSchema } from '../sessions/sessions-schema.ts';
import { windowsSchema } from '../windows/windows-schema.ts';
import type { PreparedDataset } from './open-prepared.ts';
import { prepareWindows } from './prepare-windows.ts';
import { SessionSample } from './session-sample.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nimue-session-options-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Change {
  columns?: object;
  dataset?: object;
  sessions?: object;
  windows?: object;
  split?: { by: 'session' | 'user' };
  carried?: RawColumn[];
}

let number = 0;
async function prepare(
  log: string,
  { columns, dataset, sessions, windows, split, carried }: Change,
): Promise<PreparedDataset> {
  const files = join(root, `log${number++}.csv`);
  writeFileSync(files, log);
  const mapped = columns ?? { session: 's', item: 'i', timestamp: 't' };
  return prepareWindows({
    dataset: datasetSchema.parse({ files, columns: mapped, ...dataset } as never),
    sessions: sessionsSchema.parse(sessions ?? {}),
    windows: windowsSchema.parse({ span: 'all', ...windows }),
    split,
    columns: carried,
    directory: join(root, 'prepared'),
  });
}

/** Sessions of a window as raw ids, one text each. */
async function itemsOf(dataset: PreparedDataset, window = 0): Promise<string[]> {
  const { itemCodes, offsets } = await dataset.read(window, 'train');
  return Array.from({ length: offsets.length - 1 }, (_, s) =>
    Array.from(itemCodes.subarray(offsets[s], offsets[s + 1]), (code) => dataset.rawItemId(code)).join(' '),
  );
}

const T = Date.UTC(2024, 0, 1, 10) / 1000;
/** A log of letters: every session is a word, every letter an item. */
const wordsLog = (...words: string[]) =>
  `s,i,t\n${words.flatMap((word, s) => [...word].map((item, i) => `${s},${item},${T + 60 * s + i}`)).join('\n')}\n`;

test('support: one pass drops rare items, then short sessions; iterated goes on to the k-core', async () => {
  // Without c and d, 'bb' and 'aa' are short; without them b occurs twice only, and then 'aba' is short as well.
  const log = wordsLog('aaab', 'bbc', 'aba', 'aad');
  const once = await prepare(log, { sessions: { minItemEvents: 3, minKeyEvents: 3 } });
  expect(await itemsOf(once)).toEqual(['a a a b', 'a b a']);
  expect(once.counts).toMatchObject({ numEvents: 7, numItems: 2, numRareEvents: 6 });
  const core = await prepare(log, { sessions: { minItemEvents: 3, minKeyEvents: 3, supportPasses: 'iterated' } });
  expect(await itemsOf(core)).toEqual(['a a a']);
  expect(core.counts).toMatchObject({ numEvents: 3, numItems: 1, numRareEvents: 10 });
  await expect(prepare(log, { sessions: { minItemEvents: 9 } })).rejects.toThrow(
    'no event is left: every item has fewer than 9 events (minItemEvents)',
  );
  once.close();
  core.close();
});

test('support equals the naive k-core on random logs', async () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcdef'), minLength: 2, maxLength: 6 });
  const naive = (words: readonly string[], minItem: number, minKey: number): string[] => {
    for (let kept = words; ; ) {
      const count = (letter: string) => kept.join('').split(letter).length - 1;
      const next = kept
        .map((w) => [...w].filter((letter) => count(letter) >= minItem).join(''))
        .filter((w) => w.length >= minKey);
      if (next.join() === kept.join()) return next;
      kept = next;
    }
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { minLength: 4, maxLength: 12 }),
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 2, max: 3 }),
      async (words, minItemEvents, minKeyEvents) => {
        const expected = naive(words, minItemEvents, minKeyEvents).map((w) => [...w].join(' '));
        const attempt = prepare(wordsLog(...words), {
          sessions: { minItemEvents, minKeyEvents, supportPasses: 'iterated' },
        });
        if (expected.length === 0) {
          await expect(attempt).rejects.toThrow('no event is left');
          return;
        }
        const dataset = await attempt;
        expect(await itemsOf(dataset)).toEqual(expected);
        dataset.close();
      },
    ),
    { numRuns: 8, seed: 4 },
  );
});

test('event types: others are left out before everything else; an unknown type is refused', async () => {
  const log = `s,i,t,kind\na,x,${T},view\na,y,${T + 1},cart\na,y,${T + 2},view\na,,${T + 3},scroll\nb,x,${T},cart\nb,z,${T + 1},cart\n`;
  const columns = { session: 's', item: 'i', timestamp: 't', event: 'kind' };
  const views = await prepare(log, { columns, sessions: { eventTypes: ['view'] } });
  expect(await itemsOf(views)).toEqual(['x y']);
  expect(views.counts).toMatchObject({ numEvents: 2, numOtherTypeEvents: 4, numMissingEvents: 0, numItems: 2 });
  await expect(prepare(log, { columns, sessions: { eventTypes: ['viwe'] } })).rejects.toThrow(
    "has no event of type 'viwe'; its types are cart, view, scroll",
  );
  await expect(prepare(log, { sessions: { eventTypes: ['view'] } })).rejects.toThrow(
    'dataset.columns.event: missing, but sessions.eventTypes is given',
  );
  views.close();
});

test('a log of days is ordered by its order column, a log without times by it alone or by its rows', async () => {
  const log =
    's,i,t,place\na,x,2024-01-02,10\na,y,2024-01-02,9\nb,q,2024-01-01,1\na,z,2024-01-02,2\nb,r,2024-01-01,1\n';
  const columns = { session: 's', item: 'i', order: 'place' };
  const days = await prepare(log, { columns: { ...columns, timestamp: 't' }, windows: { span: 'day' } });
  expect([await itemsOf(days, 0), await itemsOf(days, 1)]).toEqual([['q r'], ['z y x']]);
  expect(days.hasTimes).toBe(true);
  const places = await prepare(log, { columns });
  expect(places.hasTimes).toBe(false);
  expect((await itemsOf(places)).sort()).toEqual(['q r', 'z y x']);
  const { timestampsMs, hasOnlyOrder } = await places.read(0, 'train');
  expect([...timestampsMs].sort()).toEqual([0, 0, 1, 1, 2]);
  expect(hasOnlyOrder).toBe(true);
  const rows = await prepare(log, { columns: { session: 's', item: 'i' } });
  expect((await itemsOf(rows)).sort()).toEqual(['q r', 'x y z']);
  await expect(prepare(log, { columns, windows: { span: 'day' } })).rejects.toThrow(
    "windows.span: the log has no times (dataset.columns.timestamp is not mapped), so it cannot be cut into windows; set span to 'all'",
  );
  const byUser = { user: 's', item: 'i' };
  await expect(prepare(log, { columns: byUser, sessions: { by: 'user' } })).rejects.toThrow(
    "so it has no pauses; set gapMinutes to 'none'",
  );
  const histories = await prepare(log, { columns: byUser, sessions: { by: 'user', gapMinutes: 'none' } });
  expect((await itemsOf(histories)).sort()).toEqual(['q r', 'x y z']);
  await expect(prepare(log.replace('2024-01-02,9', '2024-01-02,'), { columns })).rejects.toThrow(
    "row 2 after the header: column 'place' (order) is empty",
  );
  for (const dataset of [days, places, rows, histories]) dataset.close();
});

test('a date without a zone is not read in the zone that the date before it names', async () => {
  const times = [
    '2019-10-01 10:00:00',
    '2019-10-01 10:00:00 Europe/Paris',
    '2019-10-01 10:00:00',
    '2019-10-01 10:00:00 UTC',
    '2019-10-01 10:00:00',
    '2019-10-01 10:00:00 Etc/GMT+3',
    '2019-10-01 10:00:00',
    '2019-10-01 10:00:00Z',
    '2019-10-01 10:00:00',
    '2019-10-01 10:00:00-03:30',
    '2019-10-01',
    '2019-10-01 10:00:00 NZ',
    '2019-10-01T10:00:00.500',
    '2019-10-01 10:00',
  ];
  const log = `s,i,t\n${times.map((time, n) => `a,${n},${time}\n`).join('')}`;
  // Hours of the instants in UTC, by hand; New York was four hours behind.
  for (const [timeZone, local, day] of [
    ['UTC', 10, 0],
    ['America/New_York', 14, 4],
  ] as const) {
    const dataset = await prepare(log, { dataset: { timeZone } });
    const { itemCodes, timestampsMs } = await dataset.read(0, 'train');
    const hours = times.map(() => Number.NaN);
    itemCodes.forEach((code, n) => {
      hours[Number(dataset.rawItemId(code))] = (timestampsMs[n] - Date.UTC(2019, 9, 1)) / 3_600_000;
    });
    const later = local + 0.5 / 3600;
    expect(hours).toEqual([local, 8, local, 10, local, 13, local, 10, local, 13.5, day, -3, later, local]);
    dataset.close();
  }
});

test('the time zone of written dates decides their instant; a date that names its own keeps it', async () => {
  const log = 's,i,t\na,x,2024-07-01 01:30:00\na,y,2024-06-30T23:40:00Z\n';
  const berlin = await prepare(log, { dataset: { timeZone: 'Europe/Berlin' }, windows: { span: 'day' } });
  expect(berlin.windows.map(({ id }) => id)).toEqual(['2024-06-30']);
  expect([...(await berlin.read(0, 'train')).timestampsMs]).toEqual([
    Date.UTC(2024, 5, 30, 23, 30),
    Date.UTC(2024, 5, 30, 23, 40),
  ]);
  const local = await prepare(log, {
    dataset: { timeZone: 'Europe/Berlin' },
    windows: { span: 'day', timeZone: 'Europe/Berlin' },
  });
  expect(local.windows.map(({ id }) => id)).toEqual(['2024-07-01']);
  await expect(prepare(wordsLog('ab'), { dataset: { timeZone: 'Asia/Tokyo' } })).rejects.toThrow(
    "dataset.timeZone: 'Asia/Tokyo' is given, but 't'",
  );
  expect(() => datasetSchema.parse({ files: 'x.csv', columns: { item: 'i' }, timeZone: 'Mars' } as never)).toThrow(
    "expected an IANA name such as 'UTC'",
  );
  berlin.close();
  local.close();
});

test('every session keeps its true length and its key, in every split and every preparation', async () => {
  const log = wordsLog('abcdef', 'ab', 'aabbc', 'xyz', 'zz', 'fedcba');
  const long = await prepare(log, {});
  const cut = await prepare(log, { sessions: { maxLength: 3, dropConsecutiveRepeats: true } });
  const [whole, newest] = [await long.read(0, 'train'), await cut.read(0, 'train')];
  expect([...(whole.fullLengths ?? [])]).toEqual([6, 2, 5, 3, 2, 6]);
  expect([...(newest.fullLengths ?? [])]).toEqual([6, 2, 3, 3, 6]);
  expect(await itemsOf(cut)).toEqual(['d e f', 'a b', 'a b c', 'x y z', 'c b a']);
  expect(cut.counts).toMatchObject({ numRepeatedEvents: 3, numShortSessions: 1, numTruncatedEvents: 6 });
  const keys = [...(whole.sessionKeys ?? [])];
  expect(new Set(keys).size).toBe(6);
  expect([...(newest.sessionKeys ?? [])]).toEqual(keys.filter((_, s) => s !== 4));
  const halves = await Promise.all((['valid', 'test'] as const).map((split) => long.read(0, split)));
  expect(halves.flatMap(({ sessionKeys }) => [...(sessionKeys ?? [])]).sort()).toEqual([...keys].sort());
  long.close();
  cut.close();
});

test('split by user: all sessions of a user lie on the same side, whatever a session is', async () => {
  const lines = Array.from(
    { length: 600 },
    (_, i) => `s${i >> 1},u${(i >> 1) % 20},i${i % 7},${T + 4000 * (i >> 1) + i}`,
  );
  const log = `s,u,i,t\n${lines.join('\n')}\n`;
  const columns = { session: 's', user: 'u', item: 'i', timestamp: 't' };
  const sides: string[] = [];
  for (const by of ['session', 'user'] as const) {
    const dataset = await prepare(log, { columns, sessions: { by }, split: { by: 'user' } });
    // Session s starts at T + 4000 s: its user is known from its start.
    for (const name of ['valid', 'test'] as const) {
      const { offsets, timestampsMs } = await dataset.read(0, name);
      const starts = Array.from(offsets.subarray(0, -1), (from) => timestampsMs[from] / 1000 - T);
      const users = new Set(starts.map((second) => Math.floor(second / 4000) % 20));
      sides.push([...users].sort((a, b) => a - b).join(' '));
      expect(starts).toHaveLength(users.size * 15);
    }
    dataset.close();
  }
  expect(sides.slice(2)).toEqual(sides.slice(0, 2));
  expect(sides[0].split(' ').length + sides[1].split(' ').length).toBe(20);
  await expect(prepare(wordsLog('ab'), { split: { by: 'user' } })).rejects.toThrow(
    "dataset.columns.user: missing, but split.by is 'user'",
  );
});

test('windows of a random log equal the naive version', async () => {
  const event = fc.tuple(fc.nat(3), fc.nat(4 * 24 * 60), fc.nat(3));
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 2, maxLength: 40 }),
      fc.constantFrom('day', '2d', '5h'),
      async (events, span) => {
        const ordered = [...events].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
        const sessions: (typeof ordered)[] = [];
        for (const one of ordered) {
          const last = sessions.at(-1)?.at(-1);
          if (last && last[0] === one[0] && one[1] - last[1] <= 30) sessions.at(-1)?.push(one);
          else sessions.push([one]);
        }
        const hours = span === 'day' ? 24 : span === '2d' ? 48 : 5;
        const first = Math.min(...events.map(([, minute]) => minute));
        const origin = span === '5h' ? Math.floor(first / 60) * 60 : Math.floor(first / 1440) * 1440;
        const expected: string[][] = [];
        for (const session of sessions.sort((a, b) => a[0][1] - b[0][1] || a[0][0] - b[0][0])) {
          const window = Math.floor((session[0][1] - origin) / 60 / hours);
          while (expected.length <= window) expected.push([]);
          expected[window].push(session.map(([, , item]) => `i${item}`).join(' '));
        }
        const midnight = Date.UTC(2024, 0, 1) / 1000;
        const lines = ordered.map(([user, minute, item]) => `u${user},i${item},${midnight + 60 * minute}`);
        const dataset = await prepare(`u,i,t\n${lines.join('\n')}\n`, {
          columns: { user: 'u', item: 'i', timestamp: 't' },
          sessions: { by: 'user', minLength: 1 },
          windows: { span },
        });
        const found = await Promise.all(dataset.windows.map((_, w) => itemsOf(dataset, w)));
        while (expected.length < found.length) expected.push([]);
        expect(found).toEqual(expected);
        dataset.close();
      },
    ),
    { numRuns: 10, seed: 5 },
  );
});

test('columns are carried along with every event: numbers, texts by code, missing cells as NaN', async () => {
  const log = `s,i,t,price,kind\nb,x,${T},2.5,red\na,y,${T + 2},,blue\na,x,${T + 1},1,\nb,x,${T + 1},9,red\nb,z,${T + 2},3,green\n`;
  const carried: RawColumn[] = [
    { name: 'price', kind: 'number' },
    { name: 'kind', kind: 'text' },
    { name: 'price', kind: 'text' },
  ];
  const dataset = await prepare(log, { carried, sessions: { dropConsecutiveRepeats: true } });
  const { columns = {}, offsets } = await dataset.read(0, 'train');
  expect(await itemsOf(dataset)).toEqual(['x z', 'x y']);
  expect([...offsets]).toEqual([0, 2, 4]);
  expect(Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, [...column]]))).toEqual({
    'number:price': [2.5, 3, 1, Number.NaN],
    'text:kind': [2, 1, Number.NaN, 0],
    'text:price': [1, 2, 0, Number.NaN],
  });
  expect(dataset.texts).toEqual({ kind: ['blue', 'green', 'red'], price: ['1', '2.5', '3', '9'] });
  await expect(prepare(log, { carried: [{ name: 'kind', kind: 'number' }] })).rejects.toThrow(
    "row 1 after the header: column 'kind' is 'red', expected a number (a feature reads it); 4 such rows",
  );
  await expect(prepare(log, { carried: [{ name: 'prise', kind: 'number' }] })).rejects.toThrow(
    "but no 'prise'; did you mean 'price'?",
  );
  dataset.close();
});

describe('a sample of the sessions', () => {
  const words = Array.from({ length: 60 }, (_, s) => `${'abcdefghij'[s % 10]}${'klmnopqrst'[Math.floor(s / 10)]}z`);
  const log = wordsLog(...words);

  test('as many as asked for, others by another seed, all where there are fewer', async () => {
    const first = await prepare(log, { sessions: { sample: { numSessions: 20, seed: 1 } } });
    const drawn = await itemsOf(first);
    expect(drawn).toHaveLength(20);
    expect(new Set(drawn).size).toBe(20);
    const all = words.map((word) => [...word].join(' '));
    expect(all).toEqual(expect.arrayContaining(drawn));
    // In the order of the log, which is that of their starts.
    expect(drawn).toEqual(all.filter((word) => drawn.includes(word)));
    expect(first.windows[0]).toMatchObject({ numSessions: 20, numEvents: 60 });
    expect(first.counts).toMatchObject({ numKeptSessions: 60, numUnsampledSessions: 40 });
    const other = await itemsOf(await prepare(log, { sessions: { sample: { numSessions: 20, seed: 2 } } }));
    expect(other).toHaveLength(20);
    expect(other).not.toEqual(drawn);
    expect(await itemsOf(await prepare(log, { sessions: { sample: { numSessions: 61 } } }))).toEqual(all);
  });

  test('the same sessions whatever the order of the log, with their columns, over all windows together', async () => {
    const sample = { numSessions: 20, seed: 1 };
    const drawn = await itemsOf(await prepare(log, { sessions: { sample } }));
    const [head, ...rows] = log.trimEnd().split('\n');
    const turned = [head, ...rows.map((row, r) => `${row},${r}`).reverse()].join('\n').replace('s,i,t', 's,i,t,place');
    const dataset = await prepare(turned, {
      sessions: { sample },
      // A minute a session: three windows of twenty.
      windows: { span: { cuts: ['2024-01-01T10:20:00Z', '2024-01-01T10:40:00Z'] } },
      carried: [{ name: 'place', kind: 'number' }],
    });
    const found = await Promise.all(dataset.windows.map((_, window) => itemsOf(dataset, window)));
    expect(found.flat()).toEqual(drawn);
    expect(found.length).toBeGreaterThan(1);
    for (const window of dataset.windows.keys()) {
      const { itemCodes, columns = {} } = await dataset.read(window, 'train');
      // Every event has kept the number of its row.
      expect([...itemCodes].map((code) => dataset.rawItemId(code))).toEqual(
        [...columns['number:place']].map((place) => rows[place].split(',')[1]),
      );
    }
    const halves = await Promise.all(
      dataset.windows.flatMap((_, window) => [dataset.read(window, 'valid'), dataset.read(window, 'test')]),
    );
    expect(halves.reduce((sum, { offsets }) => sum + offsets.length - 1, 0)).toBe(20);
  });

  test('every session is as likely as any other', async () => {
    const times = new Map<string, number>();
    const sample = (seed: number) => {
      const drawn = new SessionSample({ numSessions: 10, seed });
      for (let s = 0; s < 40; s++) drawn.add(`${s >> 1}`, 1000 * s);
      for (let s = 0; s < 40; s++) {
        if (drawn.has(`${s >> 1}`, 1000 * s)) times.set(`${s}`, (times.get(`${s}`) ?? 0) + 1);
      }
    };
    for (let seed = 0; seed < 400; seed++) sample(seed);
    const counts = [...times.values()];
    expect(counts).toHaveLength(40);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4000);
    // 400 draws at 1/4: 100 ± 8.7; two sessions of a user are drawn independently of one another.
    expect(Math.min(...counts)).toBeGreaterThan(100 - 4 * 8.7);
    expect(Math.max(...counts)).toBeLessThan(100 + 4 * 8.7);
  });
});
