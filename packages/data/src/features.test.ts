import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as features from './features.ts';
import {
  columnsOfFeatures,
  concatSessions,
  createFeaturePipeline,
  encodeSessions,
  type FeatureConfig,
  featuresSchema,
  ItemVocabulary,
  type PlainSession,
  parquetjsStore,
  readItemVectors,
  restoreFeaturePipeline,
  type Sessions,
  sessionsFromPlain,
} from './index.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-features-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Row {
  readonly session: number;
  readonly t: number;
  readonly item: string;
  readonly price: number | null;
  readonly category: string | null;
  readonly bought: number | null;
}

const golden: {
  readonly windows: readonly (readonly Row[])[];
  readonly expected: Readonly<Record<string, readonly number[]>>;
} = JSON.parse(readFileSync(new URL('../fixtures/features.json', import.meta.url), 'utf8'));

const COLUMNS = columnsOfFeatures(
  featuresSchema.parse([
    { name: 'log', column: 'price' },
    { name: 'targetStatistic', column: 'category', target: 'bought' },
  ]),
);

/** Rows that follow one another, as sessions. */
function plainOf(rows: readonly Row[]): PlainSession[] {
  return [...new Set(rows.map(({ session }) => session))].map((session) => {
    const own = rows.filter((row) => row.session === session);
    return {
      items: own.map(({ item }) => item),
      timestampsMs: own.map(({ t }) => t),
      columns: {
        price: own.map(({ price }) => price),
        category: own.map(({ category }) => category),
        bought: own.map(({ bought }) => bought),
      },
    };
  });
}

/** Features fitted on the first two windows of the fixture, step by step, and applied to all events. */
async function compute(configs: readonly object[], steps: readonly (readonly number[])[] = [[0], [1]]) {
  const pipeline = await createFeaturePipeline(featuresSchema.parse(configs));
  for (const step of steps) {
    for (const window of [step.flatMap((w) => golden.windows[w])]) {
      const { sessions, source } = sessionsFromPlain(plainOf(window), COLUMNS);
      pipeline.fit([sessions], source);
    }
  }
  const all = sessionsFromPlain(plainOf(golden.windows.flat()), COLUMNS);
  return { pipeline, all, columns: pipeline.transform(all.sessions, all.source) };
}

const price = { column: 'price' };
const local = { name: 'cyclicTime', timeZone: 'America/Sao_Paulo' };
const GOLDEN: readonly (readonly [key: string, config: object, output: string])[] = [
  ['log', { name: 'log', ...price }, 'log_price'],
  ['standardise', { name: 'standardise', ...price }, 'standard_price'],
  ['standardise_log', { name: 'standardise', log: true, as: 'x', ...price }, 'x'],
  ['min_max', { name: 'minMax', ...price }, 'scaled_price'],
  ['bucket', { name: 'bucketise', boundaries: [5, 10.5], ...price }, 'bucket_price'],
  ['categorify', { name: 'categorify', column: 'category', minCount: 4 }, 'category'],
  ['hour_sin', { ...local, of: 'hour' }, 'hour_sin'],
  ['hour_cos', { ...local, of: 'hour' }, 'hour_cos'],
  ['weekday_sin', { ...local, of: 'weekday' }, 'weekday_sin'],
  ['weekday_cos', { ...local, of: 'weekday' }, 'weekday_cos'],
  ['month_sin', { ...local, of: 'month' }, 'month_sin'],
  ['month_cos', { ...local, of: 'month' }, 'month_cos'],
  ['elapsed', { name: 'elapsed' }, 'elapsed'],
  ['recency', { name: 'itemRecency', log: false }, 'itemRecency'],
  ['relative_price', { name: 'relativePrice', column: 'price', category: 'category' }, 'relativePrice'],
  ['popularity', { name: 'popularitySoFar', log: false }, 'popularity'],
  ['target', { name: 'targetStatistic', column: 'category', target: 'bought', smoothing: 3 }, 'bought_by_category'],
];

test.each(GOLDEN)('%s is what pandas computes', async (key, config, output) => {
  const { columns, pipeline } = await compute([config]);
  const expected = golden.expected[key];
  expect(columns[output]).toHaveLength(59);
  for (const [i, value] of columns[output].entries()) expect(value).toBeCloseTo(expected[i], 5);
  expect(pipeline.outputs().map(({ name }) => name)).toContain(output);
});

test('quantiles are what numpy computes, and stay as they are after the first step', async () => {
  const config = [{ name: 'bucketise', column: 'price', numBuckets: 4 }];
  const once = await compute(config, [[0, 1]]);
  expect([...once.columns.bucket_price]).toEqual(golden.expected.quartile);
  const [first, later] = [await compute(config, [[0]]), await compute(config, [[0], [1]])];
  expect(later.columns).toEqual(first.columns);
  expect(once.pipeline.outputs()).toEqual([{ name: 'bucket_price', kind: 'category', numValues: 5 }]);
});

test('every feature is in the golden table, or has its own test', () => {
  const tested = new Set([...GOLDEN.map(([, config]) => (config as FeatureConfig).name), 'pretrainedVectors']);
  expect([...tested].sort()).toEqual(Object.keys(features).sort());
});

const ONE = (changes: Partial<PlainSession>[] = [{}]) =>
  sessionsFromPlain(
    changes.map((change) => ({ items: ['a', 'b', 'c'], timestampsMs: [1000, 2000, 4000], ...change })),
    [
      { name: 'price', kind: 'number' },
      { name: 'kind', kind: 'text' },
    ],
  );

test('by hand: missing values follow their rule', async () => {
  const { sessions, source } = ONE([{ columns: { price: [1, null, 3], kind: ['x', null, 'y'] } }]);
  const valuesOf = async (config: object) => {
    const pipeline = await createFeaturePipeline(featuresSchema.parse([config]));
    pipeline.fit([sessions], source);
    return Object.values(pipeline.transform(sessions, source)).map((column) => [...column]);
  };
  expect(await valuesOf({ name: 'standardise', column: 'price' })).toEqual([[-1, 0, 1]]);
  expect(await valuesOf({ name: 'standardise', column: 'price', missing: 5, indicator: true })).toEqual([
    [-1, 3, 1],
    [0, 1, 0],
  ]);
  expect(await valuesOf({ name: 'minMax', column: 'price' })).toEqual([[0, 0.5, 1]]);
  expect(await valuesOf({ name: 'elapsed', log: false, maxSeconds: 1.5 })).toEqual([[0, 1, 1.5]]);
  await expect(valuesOf({ name: 'log', column: 'price', missing: 'error' })).rejects.toThrow(
    "log: column 'price' is missing in event 1; give a rule for it: missing: mean, or a number",
  );
  expect(await valuesOf({ name: 'categorify', column: 'kind' })).toEqual([[2, 0, 3]]);
});

test('categorify: ids stay when values are added, rare ones share an id or hash buckets', async () => {
  const kinds = (...kind: string[]) => ONE([{ items: kind, timestampsMs: kind.map((_, i) => i), columns: { kind } }]);
  const run = async (config: object, asked: string[]) => {
    const pipeline = await createFeaturePipeline(
      featuresSchema.parse([{ name: 'categorify', column: 'kind', ...config }]),
    );
    const idsOf = (...kind: string[]) => {
      const { sessions, source } = kinds(...kind);
      return [...pipeline.transform(sessions, source).kind];
    };
    const fit = (...kind: string[]) => {
      const { sessions, source } = kinds(...kind);
      pipeline.fit([sessions], source);
      return [idsOf(...asked), pipeline.outputs()[0]];
    };
    return [fit('b', 'b', 'a', 'a', 'c'), fit('c', 'd', 'd', 'd')];
  };
  const output = (numValues: number) => ({ name: 'kind', kind: 'category', numValues });
  const asked = ['a', 'b', 'c', 'd', 'e'];
  expect(await run({ minCount: 2 }, asked)).toEqual([
    [[2, 3, 1, 1, 1], output(4)],
    [[2, 3, 5, 4, 1], output(6)],
  ]);
  expect(await run({ minCount: 2, maxValues: 3 }, asked)).toEqual([
    [[2, 3, 1, 1, 1], output(4)],
    [[2, 3, 1, 4, 1], output(5)],
  ]);
  const [[ids], [, grown]] = await run({ minCount: 2, hashBuckets: 3 }, asked);
  expect((ids as number[]).slice(0, 2)).toEqual([5, 6]);
  for (const id of (ids as number[]).slice(2)) expect([2, 3, 4]).toContain(id);
  expect(grown).toEqual(output(9));
});

test('pretrained vectors: from Parquet lists or columns of a CSV file, as columns and as an item table', async () => {
  const csv = join(folder, 'vectors.csv');
  writeFileSync(csv, 'id,x,y\na,1,2\n007,3,4\nunused,5,9\n');
  const vectors = await readItemVectors(csv, 'id');
  expect([vectors.size, ...(vectors.get('007') ?? [])]).toEqual([2, 3, 4]);
  expect([...vectors.mean()]).toEqual([3, 5]);
  const { sessions, source } = ONE([{ items: ['a', 'z', '007'] }]);
  for (const [missing, x] of [
    ['zeros', [1, 0, 3]],
    ['mean', [1, 3, 3]],
  ] as const) {
    const config = { name: 'pretrainedVectors', file: csv, item: 'id', missing };
    const pipeline = await createFeaturePipeline(featuresSchema.parse([config]));
    expect([...pipeline.transform(sessions, source).vector_0]).toEqual(x);
    expect(pipeline.outputs().map(({ name }) => name)).toEqual(['vector_0', 'vector_1']);
  }
  const strict = await createFeaturePipeline(
    featuresSchema.parse([{ name: 'pretrainedVectors', file: csv, item: 'id', missing: 'error' }]),
  );
  expect(() => strict.transform(sessions, source)).toThrow("item 'z' has no pretrained vector");
  const vocabulary = new ItemVocabulary();
  vocabulary.grow(sessions);
  expect([...vectors.tableFor(vocabulary, source.rawItemId)]).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4]);

  writeFileSync(csv, 'id,x,y\na,1,2\na,3,4\n');
  await expect(readItemVectors(csv, 'id')).rejects.toThrow("item 'a' has more than one vector");
  writeFileSync(csv, 'id,x,y\na,1,\n');
  await expect(readItemVectors(csv, 'id')).rejects.toThrow("item 'a' has 1 numbers, expected 2");
  await expect(readItemVectors(csv, 'item')).rejects.toThrow("expected a column 'item' of item ids");
  await expect(readItemVectors(join(folder, 'none.csv'), 'item')).rejects.toThrow('none.csv: cannot be read');
});

test('the features of train windows do not change when the evaluated window does', async () => {
  const configs = GOLDEN.map(([, config], i) => ({ ...config, as: `f${i}` }));
  const { pipeline, all } = await compute(configs);
  const numTrain = golden.windows[0].length + golden.windows[1].length;
  const train = sessionsFromPlain(plainOf([...golden.windows[0], ...golden.windows[1]]), COLUMNS);
  const alone = pipeline.transform(train.sessions, train.source);
  for (const [name, column] of Object.entries(pipeline.transform(all.sessions, all.source))) {
    expect([...alone[name]]).toEqual([...column.subarray(0, numTrain)]);
  }
});

test('a later event never changes the features of an earlier one, and an event does not see its own target', async () => {
  const configs = GOLDEN.map(([, config], i) => ({ ...config, as: `f${i}` }));
  const { pipeline } = await compute(configs);
  const sessions = plainOf(golden.windows[2]);
  const cut = sessions.map((session) => ({
    items: session.items.slice(0, -1),
    timestampsMs: session.timestampsMs.slice(0, -1),
    columns: Object.fromEntries(
      Object.entries(session.columns ?? {}).map(([name, cells]) => [name, cells.slice(0, -1)]),
    ),
  }));
  const [whole, shorter] = [sessions, cut].map((plain) => {
    const request = sessionsFromPlain(plain, COLUMNS);
    return { offsets: request.sessions.offsets, columns: pipeline.transform(request.sessions, request.source) };
  });
  for (const name of Object.keys(whole.columns)) {
    for (const s of cut.keys()) {
      const length = shorter.offsets[s + 1] - shorter.offsets[s];
      const of = ({ offsets, columns }: typeof whole) => [...columns[name].subarray(offsets[s], offsets[s] + length)];
      expect(of(shorter)).toEqual(of(whole));
    }
  }
});

test('saved as JSON and restored, a pipeline makes the same of a request, whatever its codes are', async () => {
  const file = join(folder, 'vectors.parquet');
  const writer = await parquetjsStore.openWriter(file, { item_id: 'string', x: 'double' });
  await writer.append({ item_id: ['i0', 'i1'], x: [0.25, -3] });
  await writer.close();
  const configs = [...GOLDEN.map(([, config], i) => ({ ...config, as: `f${i}` })), { name: 'pretrainedVectors', file }];
  const { pipeline } = await compute(configs);
  const saved = JSON.stringify(pipeline);
  rmSync(file);
  const restored = restoreFeaturePipeline(JSON.parse(saved));
  expect(restored.outputs()).toEqual(pipeline.outputs());
  expect(JSON.stringify(restored)).toBe(saved);
  // Another order gives other codes; the values must follow the raw ids and texts.
  const test = plainOf(golden.windows[2]);
  const forward = sessionsFromPlain(test, COLUMNS);
  const backward = sessionsFromPlain([...test].reverse(), COLUMNS);
  const columns = pipeline.transform(forward.sessions, forward.source);
  const again = restored.transform(backward.sessions, backward.source);
  for (const [name, column] of Object.entries(columns)) {
    for (const s of test.keys()) {
      const [a, b] = [forward.sessions.offsets, backward.sessions.offsets];
      const t = test.length - 1 - s;
      expect([...again[name].subarray(b[t], b[t + 1])]).toEqual([...column.subarray(a[s], a[s + 1])]);
    }
  }
  expect(() => restoreFeaturePipeline({ version: 2 })).toThrow('restoreFeaturePipeline: damaged or of another version');
  const broken = JSON.parse(saved);
  broken.features[0].state = { count: 'many' };
  expect(() => restoreFeaturePipeline(broken)).toThrow('log: the saved state is damaged: count');
});

test('popularity so far equals counting, on random events', () => {
  const event = fc.tuple(fc.nat(3), fc.nat(20));
  return fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 30 }),
      fc.array(event, { minLength: 1, maxLength: 9 }),
      async (train, asked) => {
        const plain = (events: readonly (readonly [number, number])[]) =>
          sessionsFromPlain(events.map(([item, time]) => ({ items: [`i${item}`], timestampsMs: [time] })));
        const pipeline = await createFeaturePipeline(featuresSchema.parse([{ name: 'popularitySoFar', log: false }]));
        const fitted = plain(train);
        pipeline.fit([fitted.sessions], fitted.source);
        const request = plain(asked);
        expect([...pipeline.transform(request.sessions, request.source).popularity]).toEqual(
          asked.map(([item, time]) => train.filter(([other, earlier]) => other === item && earlier < time).length),
        );
      },
    ),
    { numRuns: 100, seed: 9 },
  );
});

test.each<[string, () => unknown]>([
  [
    'name one of them with',
    () => createFeaturePipeline(featuresSchema.parse([{ name: 'elapsed' }, { name: 'elapsed' }])),
  ],
  ["give either 'boundaries' or 'numBuckets'", () => featuresSchema.parse([{ name: 'bucketise', column: 'x' }])],
  ['expected numbers that rise', () => featuresSchema.parse([{ name: 'bucketise', column: 'x', boundaries: [2, 1] }])],
  ['Unrecognized key', () => featuresSchema.parse([{ name: 'elapsed', colum: 'x' }])],
  ['Invalid discriminator value', () => featuresSchema.parse([{ name: 'elapsd' }])],
  ['expected a name of letters', () => featuresSchema.parse([{ name: 'elapsed', as: 'a b' }])],
])('refuses: %s', async (message, act) => {
  await expect((async () => act())()).rejects.toThrow(message);
});

test('features without times, without their column, or of negative numbers are refused', async () => {
  const { sessions, source } = ONE([{ columns: { price: [1, -3, 3] } }]);
  const attempt = async (config: object, changed: Sessions = sessions) => {
    const pipeline = await createFeaturePipeline(featuresSchema.parse([config]));
    pipeline.fit([changed], source);
    return pipeline.transform(changed, source);
  };
  const ordered = { ...sessions, hasOnlyOrder: true };
  for (const config of [{ name: 'elapsed' }, { name: 'itemRecency' }, { name: 'cyclicTime', of: 'hour' }]) {
    await expect(attempt(config, ordered)).rejects.toThrow(
      `${config.name}: needs times, but the log has an order only`,
    );
  }
  await expect(attempt({ name: 'minMax', column: 'size' })).rejects.toThrow(
    "minMax: the sessions do not carry the column 'size' as number (carried: number:price, text:kind)",
  );
  await expect(attempt({ name: 'log', column: 'price' })).rejects.toThrow(
    "log: column 'price' holds -3; a logarithm needs numbers ≥ 0",
  );
});

test('features go along when unknown items are left out of sessions', async () => {
  const { sessions } = ONE([{}, { items: ['a', 'new', 'b'] }]);
  const vocabulary = new ItemVocabulary();
  vocabulary.grow({ itemCodes: sessions.itemCodes.subarray(0, 3) });
  const encoded = encodeSessions(concatSessions([sessions]), vocabulary, {
    unknown: 'skip',
    features: { place: Int32Array.of(0, 1, 2, 10, 11, 12), half: Float32Array.of(0, 0.5, 1, 10, 10.5, 11) },
  });
  expect([...encoded.itemIds]).toEqual([3, 4, 5, 3, 4]);
  expect([...(encoded.features?.place ?? [])]).toEqual([0, 1, 2, 10, 12]);
  expect([...(encoded.features?.half ?? [])]).toEqual([0, 0.5, 1, 10, 11]);
});
