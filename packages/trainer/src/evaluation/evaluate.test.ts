import { readFileSync } from 'node:fs';
import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { ItemVocabulary, objectives, type Sessions } from '@nimue/data';
import { parseMetricAtK } from '@nimue/metrics';
import { models, type NextItemModel } from '@nimue/models';
import { UNRANKED } from '@nimue/ops';
import { CatalogueStatistics } from './catalogue-statistics.ts';
import { type EvaluateOptions, evaluate } from './evaluate.ts';
import { evaluateReference } from './evaluate-reference.ts';
import { columnsOfEvaluation, evaluatedMetrics, evaluationSchema } from './evaluation-schema.ts';
import { SeenValues } from './seen-values.ts';

const DAY_MS = 86_400_000;

function sessionsOf(lists: readonly (readonly number[])[]): Sessions {
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach((list, s) => {
    offsets[s + 1] = offsets[s] + list.length;
  });
  const itemCodes = Int32Array.from(lists.flat());
  return { itemCodes, offsets, timestampsMs: Float64Array.from(itemCodes, (_, i) => DAY_MS + 60_000 * i) };
}

/** Codes 0, 1, 2 … as ids 3, 4, 5 …; a code beyond them is unknown. */
function vocabularyOf(numItems: number): ItemVocabulary {
  const vocabulary = new ItemVocabulary();
  vocabulary.grow(sessionsOf([Array.from({ length: numItems }, (_, code) => code)]));
  return vocabulary;
}

/** Popularity of the codes' clicks given: `clicks[code]`. */
function popularityOf(clicks: readonly number[]): NextItemModel {
  const { popularity } = models;
  const numRows = clicks.length + FIRST_ITEM_ID;
  const model = popularity.create(popularity.configSchema.parse({ over: 'all' }), { numRows, seed: 1 });
  const itemIds = Int32Array.from(clicks.flatMap((count, code) => Array(count).fill(code + FIRST_ITEM_ID)));
  if (model.kind !== 'statistical') throw new Error('popularity counts');
  model.fitWindow({ itemIds, offsets: Int32Array.of(0, itemIds.length) });
  return model;
}

const ask = (
  model: NextItemModel,
  sessions: Sessions,
  labels: readonly string[],
  options: Partial<EvaluateOptions> = {},
) =>
  evaluate(model, sessions, vocabularyOf(model.numRows - FIRST_ITEM_ID), {
    metrics: labels.map(parseMetricAtK),
    objective: objectives.causal.create({}),
    batchSize: 2,
    ...options,
  });

describe('ties', () => {
  // Clicks 5, 3, 3, 3, 1: codes 1, 2 and 3 are equal, on places 2 to 4.
  const model = popularityOf([5, 3, 3, 3, 1]);
  const sessions = sessionsOf([
    [4, 2],
    [4, 0],
    [0, 4],
  ]);

  test('conservative: behind them all; optimistic: before them all; mean: over the places', async () => {
    const by = async (ties: EvaluateOptions['ties']) =>
      (await ask(model, sessions, ['mrr@5', 'hr@3'], { ties })).metrics;
    expect(await by('conservative')).toEqual({ 'mrr@5': (1 / 4 + 1 + 1 / 5) / 3, 'hr@3': 1 / 3 });
    expect(await by('optimistic')).toEqual({ 'mrr@5': (1 / 2 + 1 + 1 / 5) / 3, 'hr@3': 2 / 3 });
    const mean = await by('mean');
    expect(mean['mrr@5']).toBeCloseTo(((1 / 2 + 1 / 3 + 1 / 4) / 3 + 1 + 1 / 5) / 3, 12);
    // Two of its three places are within the first three.
    expect(mean['hr@3']).toBeCloseTo((2 / 3 + 1) / 3, 12);
  });

  test('random: each place as often as the others, the same for the same seed whatever the batches', async () => {
    const many = sessionsOf(Array.from({ length: 3000 }, () => [4, 2]));
    const first = await ask(model, many, ['hr@3'], { ties: 'random', seed: 7 });
    const again = await ask(model, many, ['hr@3'], { ties: 'random', seed: 7, batchSize: 513 });
    expect(again.ranks).toEqual(first.ranks);
    for (const place of [2, 3, 4]) {
      // 1000 expected, standard deviation 26.
      expect(Math.abs(first.ranks.filter((rank) => rank === place).length - 1000)).toBeLessThan(4 * 26);
    }
    const other = await ask(model, many, ['hr@3'], { ties: 'random', seed: 8 });
    expect(other.ranks).not.toEqual(first.ranks);
  });

  test("conservative and optimistic are GRU4Rec's modes 'conservative' and 'standard'", async () => {
    const url = new URL('../../../metrics/fixtures/peers.json', import.meta.url);
    const { ties } = JSON.parse(readFileSync(url, 'utf8')) as {
      ties: { scores: number[][]; targetScores: number[]; conservative: number[]; standard: number[] };
    };
    for (const [n, scores] of ties.scores.entries()) {
      const target = scores.indexOf(ties.targetScores[n]);
      const counts = popularityOf(scores.map((score) => Math.round(100 * score)));
      const question = sessionsOf([[target === 0 ? 1 : 0, target]]);
      const rankBy = async (rule: 'conservative' | 'optimistic') =>
        (await ask(counts, question, ['hr@1'], { ties: rule })).ranks[0];
      expect(await rankBy('conservative')).toBe(ties.conservative[n]);
      expect(await rankBy('optimistic')).toBe(ties.standard[n]);
    }
  });
});

test("positions 'every': each item but the first is asked for with those before it visible", async () => {
  const seen: number[][] = [];
  const model: NextItemModel = {
    ...popularityOf([4, 3, 2, 1]),
    numRows: 7,
    recommend: () => ({ itemIds: new Int32Array(), scores: new Float32Array() }),
    rankTargets(batch: SessionBatch) {
      const { itemIds, offsets, targets } = batch;
      targets.itemIds.forEach((target, n) => {
        seen.push([...itemIds.subarray(offsets[n], targets.positions[n] + 1), target].map((id) => id - FIRST_ITEM_ID));
      });
      return targets.itemIds.map((id) => (id < FIRST_ITEM_ID ? UNRANKED : id - FIRST_ITEM_ID + 1));
    },
  };
  const sessions = sessionsOf([[0, 1, 2], [3], [3, 9, 1]]);
  const { metrics, ranks, numUnknownTargets } = await ask(model, sessions, ['mrr@9'], { positions: 'every' });
  expect(seen).toEqual([
    [0, 1],
    [0, 1, 2],
    [3, -2],
    [3, 1],
  ]);
  expect([...ranks]).toEqual([2, 3, UNRANKED, 2]);
  expect(numUnknownTargets).toBe(1);
  expect(metrics['mrr@9']).toBeCloseTo((1 / 2 + 1 / 3 + 0 + 1 / 2) / 4, 12);
});

describe('what can be recommended', () => {
  const model = popularityOf([5, 4, 3, 2]);
  const sessions = sessionsOf([
    [0, 2],
    [1, 0, 1],
    [3, 9],
  ]);

  test('seenItems exclude: seen items make room, a seen target is a miss and counted', async () => {
    const kept = await ask(model, sessions, ['hr@2', 'mrr@4']);
    expect(kept.metrics).toEqual({ 'hr@2': 1 / 3, 'mrr@4': (1 / 3 + 1 / 2) / 3 });
    expect(kept.numExcludedTargets).toBe(0);
    const filtered = await ask(model, sessions, ['hr@2', 'mrr@4'], { seenItems: 'exclude' });
    expect(filtered.metrics).toEqual({ 'hr@2': 1 / 3, 'mrr@4': 1 / 2 / 3 });
    expect(filtered).toMatchObject({ numExcludedTargets: 1, numUnknownTargets: 1 });
  });

  test('candidates: only they are ranked; a target outside them is a miss and counted', async () => {
    const candidates = Int32Array.of(4, 5);
    const { metrics, numExcludedTargets } = await ask(model, sessions, ['mrr@2'], { candidates });
    expect(metrics['mrr@2']).toBeCloseTo((1 / 2 + 1) / 3, 12);
    expect(numExcludedTargets).toBe(0);
    const without = await ask(model, sessions, ['mrr@2'], { candidates: Int32Array.of(3, 4) });
    expect(without.metrics['mrr@2']).toBeCloseTo(1 / 2 / 3, 12);
    expect(without.numExcludedTargets).toBe(1);
  });

  test('sampled negatives: a rank among them and the target, never among seen items; too many are refused', async () => {
    // Two of the items that are neither the target nor seen.
    const sampled = { count: 2, seed: 3 };
    const { ranks } = await ask(model, sessionsOf([[0, 2]]), ['hr@1'], { sampledNegatives: sampled });
    // Left over are codes 1 and 3: one more popular than the target, one less.
    expect([...ranks]).toEqual([2]);
    await expect(
      ask(model, sessionsOf([[0, 2]]), ['hr@1'], { sampledNegatives: { count: 3, seed: 3 } }),
    ).rejects.toThrow('sampledNegatives is 3, but only 2 items are neither seen nor the target');
    const config = evaluationSchema.parse({ metrics: ['ndcg@10'], sampledNegatives: 100 });
    expect(evaluatedMetrics(config).map(({ label }) => label)).toEqual(['ndcg@10 of 101 sampled']);
  });
});

test('slices: the metrics of the parts, weighted by their targets, are the metrics of all', async () => {
  const model = popularityOf([5, 4, 3, 2]);
  const statistics = new CatalogueStatistics();
  statistics.startStep(7);
  statistics.add({
    itemIds: Int32Array.of(3, 3, 4, 5, 6),
    timestampsMs: Float64Array.from([0, 1, DAY_MS - 1, DAY_MS / 2, DAY_MS]),
  });
  const sessions = sessionsOf([
    [0, 2],
    [9, 1],
    [3, 9],
    [0, 1, 2, 3],
    [2, 0],
  ]);
  const slices = ['history', 'hourOfDay', 'itemAge', 'itemPopularity', 'sessionLength'] as const;
  const evaluation = await ask(model, sessions, ['hr@2', 'mrr@4'], { slices, statistics });
  const rows = (name: string) =>
    evaluation.slices
      .filter(({ slice }) => slice === name)
      .map(({ part, numTargets, metrics }) => [part, numTargets, metrics['hr@2']]);
  expect(rows('history')).toEqual([
    ['cold', 1, 1],
    ['warm', 4, 0.25],
  ]);
  expect(rows('sessionLength')).toEqual([
    ['1', 4, 0.5],
    ['3 – 4', 1, 0],
  ]);
  // Codes 0 … 3 were seen first at 0, DAY − 1, DAY / 2 and DAY; the targets' times are DAY + 1 … 11 minutes.
  expect(rows('itemAge')).toEqual([
    ['new', 1, 0],
    ['under 1 hour', 2, 0.5],
    ['under 1 day', 1, 0],
    ['under 1 week', 1, 1],
  ]);
  expect(rows('hourOfDay')).toEqual([['00:00', 5, 0.4]]);
  // By clicks 2, 1, 1, 1: code 0 leads; each item is a quarter of four.
  expect(rows('itemPopularity')).toEqual([
    ['new', 1, 0],
    ['0 … 10 % most popular', 1, 1],
    ['20 … 30 % most popular', 1, 1],
    ['50 … 60 % most popular', 1, 0],
    ['70 … 80 % most popular', 1, 0],
  ]);
  for (const slice of slices) {
    const own = evaluation.slices.filter((row) => row.slice === slice);
    for (const metric of ['hr@2', 'mrr@4']) {
      const sum = own.reduce((all, row) => all + row.numTargets * row.metrics[metric], 0);
      expect(sum / 5).toBeCloseTo(evaluation.metrics[metric], 12);
    }
  }
  await expect(ask(model, { ...sessions, hasOnlyOrder: true }, ['hr@2'], { slices, statistics })).rejects.toThrow(
    "evaluation.slices: 'hourOfDay' looks at times, but the log has an order only; leave it out",
  );
});

test('metrics of lists look at what is recommended; a list longer than the catalogue is refused', async () => {
  const model = popularityOf([5, 4, 3, 2]);
  const sessions = sessionsOf([
    [0, 2],
    [1, 0],
  ]);
  const { metrics } = await ask(model, sessions, ['coverage@2', 'hr@2']);
  // Both are given codes 0 and 1, two of four.
  expect(metrics).toEqual({ 'coverage@2': 0.5, 'hr@2': 0.5 });
  const filtered = await ask(model, sessions, ['coverage@2'], { seenItems: 'exclude' });
  // 1 and 2 for the first, 0 and 2 for the second.
  expect(filtered.metrics).toEqual({ 'coverage@2': 0.75 });
  await expect(ask(model, sessions, ['coverage@5'])).rejects.toThrow(
    'evaluation.metrics: coverage@5 looks at lists of 5 items, but only 4 can be recommended; choose a smaller k',
  );
});

test('overlap keeps the first places of the lists; more than can be recommended are refused', async () => {
  const model = popularityOf([5, 4, 3, 2]);
  const sessions = sessionsOf([
    [0, 2],
    [1, 0],
  ]);
  const { lists, metrics } = await ask(model, sessions, ['coverage@3'], { overlap: 2, seenItems: 'exclude' });
  expect(metrics).toEqual({ 'coverage@3': 1 });
  // Codes 1 and 2 for the first, 0 and 2 for the second; ids are 3 more.
  expect(lists).toEqual({ itemIds: Int32Array.of(4, 5, 3, 5), length: 2 });
  await expect(ask(model, sessions, ['hr@1'], { overlap: 5 })).rejects.toThrow(
    'evaluation.overlap: lists of 5 items are asked for, but only 4 can be recommended; choose a smaller number',
  );
});

test('a reference is asked what the models are asked, or refused', () => {
  const reference = {
    label: 'oracle',
    rankSessions: (sessions: Sessions) =>
      Int32Array.from(sessions.offsets.subarray(1), (end, s) => end - sessions.offsets[s]),
  };
  const sessions = sessionsOf([[0, 1, 2], [3], [1, 2]]);
  const last = evaluateReference(reference, sessions, evaluationSchema.parse({ metrics: ['mrr@3'] }));
  expect(last).toMatchObject({ numTargets: 2, metrics: { 'mrr@3': (1 / 3 + 1 / 2) / 2 } });
  const every = evaluationSchema.parse({ metrics: ['mrr@3'], positions: 'every' });
  expect(evaluateReference(reference, sessions, every).metrics['mrr@3']).toBeCloseTo((1 / 2 + 1 / 3 + 1 / 2) / 3, 12);
  const narrowed = evaluationSchema.parse({ seenItems: 'exclude', candidates: 'lastTrained' });
  expect(() => evaluateReference(reference, sessions, narrowed)).toThrow(
    "the reference 'oracle' ranks over the whole catalogue, so its row could not be compared with evaluation.seenItems: exclude and candidates: lastTrained",
  );
});

test.each([
  [
    { sampledNegatives: 5, metrics: ['coverage@5'] },
    'coverage@5 looks at whole lists, and sampledNegatives makes none',
  ],
  [{ sampledNegatives: 5, overlap: 5 }, 'sampledNegatives makes none'],
  [{ metrics: ['hr@5', 'diversity@5'] }, 'diversity@5 needs diversity: { column } or { file }'],
  [{ diversity: 'category' }, 'expected { column: <text column of the log> } or { file: <vectors>'],
  [{ sampledNegatives: 5, candidates: 'lastTrained' }, 'does not go with sampledNegatives'],
  [{ sampledNegatives: 5, seenItems: 'exclude' }, 'sampledNegatives never draws seen items'],
])('what does not go together is refused: %j', (config, message) => {
  expect(() => evaluationSchema.parse(config)).toThrow(message);
});

test('what was trained last: an empty step changes nothing', () => {
  const statistics = new CatalogueStatistics();
  statistics.startStep(6);
  statistics.add({ itemIds: Int32Array.of(3, 5) });
  statistics.add({ itemIds: Int32Array.of(5) });
  expect([...statistics.lastTrained()]).toEqual([3, 5]);
  statistics.startStep(7);
  statistics.add({ itemIds: new Int32Array() });
  expect([...statistics.lastTrained()]).toEqual([3, 5]);
  statistics.add({ itemIds: Int32Array.of(6) });
  expect([...statistics.lastTrained()]).toEqual([6]);
  expect([...statistics.clicks]).toEqual([0, 0, 0, 1, 0, 2, 1]);
  // Windows with clicks: {3, 5}, {5}, {6}.
  expect([1, 2, 3, 9].map((n) => [...statistics.clickedInLast(n)])).toEqual([[6], [5, 6], [3, 5, 6], [3, 5, 6]]);
});

describe('columns of the log', () => {
  const model = popularityOf([5, 4, 3, 2]);
  const texts = { type: ['buy', 'view'], device: ['phone', 'tablet'], user: ['ann', 'bob', 'cid'] };
  const [buy, view, phone, tablet] = [0, 1, 0, 1];
  const withColumns = (
    lists: readonly (readonly number[])[],
    columns: Record<string, readonly number[]>,
  ): Sessions => ({
    ...sessionsOf(lists),
    columns: Object.fromEntries(
      Object.entries(columns).map(([name, codes]) => [`text:${name}`, Float64Array.from(codes)]),
    ),
  });
  const sessions = withColumns(
    [
      [0, 1, 2, 0],
      [1, 0],
      [3, 2, 1],
      [2, 3],
    ],
    {
      type: [buy, buy, buy, view, buy, view, view, buy, buy, view, Number.NaN],
      device: [phone, phone, phone, tablet, phone, tablet, phone, phone, phone, tablet, Number.NaN],
      user: [0, 0, 0, 0, 1, 1, 2, 2, 2, Number.NaN, Number.NaN],
    },
  );

  test('targets: the last event of the type with what came before it visible; a first event is never asked for', async () => {
    const targets = { column: 'type', is: ['buy'] };
    const last = await ask(model, sessions, ['mrr@4'], { targets, texts });
    // Code 2 of the first session and code 1 of the third: places 3 and 2.
    expect([...last.ranks]).toEqual([3, 2]);
    const every = await ask(model, sessions, ['mrr@4'], { targets, texts, positions: 'every' });
    expect([...every.ranks]).toEqual([2, 3, 3, 2]);
  });

  test('targets: a value that never occurs and a window without any are refused by name', async () => {
    await expect(
      ask(model, sessions, ['mrr@4'], { targets: { column: 'type', is: ['purchase'] }, texts }),
    ).rejects.toThrow("evaluation.targets.is: column 'type' never has the value 'purchase'; it has 'buy', 'view'");
    const none = withColumns([[0, 1]], { type: [buy, view] });
    await expect(ask(model, none, ['mrr@4'], { targets: { column: 'type', is: ['buy'] }, texts })).rejects.toThrow(
      "no session has 'buy' in column 'type' after its first event",
    );
    await expect(
      ask(model, sessionsOf([[0, 1]]), ['mrr@4'], { targets: { column: 'type', is: ['buy'] }, texts }),
    ).rejects.toThrow("the sessions do not carry the column 'type' as text (carried: none)");
  });

  test("slices by a column: the value in the target's event, the most frequent first", async () => {
    const { slices } = await ask(model, sessions, ['hr@1'], { slices: [{ column: 'device' }], texts });
    expect(slices.map(({ slice, part, numTargets, metrics }) => [slice, part, numTargets, metrics['hr@1']])).toEqual([
      ['device', 'tablet', 2, 1],
      ['device', 'phone', 1, 0],
      ['device', '(missing)', 1, 0],
    ]);
  });

  test('slices by a column: values beyond the 200 most frequent are counted together', async () => {
    const many = Array.from({ length: 203 }, (_, code) => code);
    const values = { shop: many.map(String) };
    const asked = withColumns(
      [...many, 7].map(() => [1, 0]),
      { shop: [...many, 7].flatMap((code) => [code, code]) },
    );
    const { slices } = await ask(model, asked, ['hr@1'], { slices: [{ column: 'shop' }], texts: values });
    expect(slices).toHaveLength(201);
    expect(slices[0]).toMatchObject({ part: '7', numTargets: 2 });
    expect(slices[200]).toMatchObject({ part: 'other', numTargets: 3 });
  });

  test('slices { seen }: users that no train window has shown stand apart', async () => {
    const seenValues = new SeenValues(['user']);
    seenValues.add(withColumns([[0, 1]], { user: [1, Number.NaN] }));
    const { slices } = await ask(model, sessions, ['hr@1'], { slices: [{ seen: 'user' }], texts, seenValues });
    expect(slices.map(({ slice, part, numTargets, metrics }) => [slice, part, numTargets, metrics['hr@1']])).toEqual([
      ['user in training', 'new', 2, 0.5],
      ['user in training', 'seen', 1, 1],
      ['user in training', '(missing)', 1, 0],
    ]);
  });

  test('hours are told in the time zone', async () => {
    const asked = { ...sessionsOf([[0, 1]]), timestampsMs: Float64Array.of(0, Date.UTC(2024, 6, 1, 22, 30)) };
    const hourIn = async (timeZone?: string) =>
      (await ask(model, asked, ['hr@1'], { slices: ['hourOfDay'], timeZone })).slices.map(({ part }) => part);
    expect(await hourIn()).toEqual(['22:00']);
    expect(await hourIn('Europe/Berlin')).toEqual(['00:00']);
    expect(await hourIn('Asia/Kolkata')).toEqual(['04:00']);
  });

  test('the columns that an evaluation looks at are named once each', () => {
    const config = evaluationSchema.parse({
      slices: ['history', { column: 'device' }, { seen: 'user' }, { seen: 'device' }],
      targets: { column: 'device', is: ['phone'] },
    });
    expect(columnsOfEvaluation(config)).toEqual([
      { name: 'device', kind: 'text' },
      { name: 'user', kind: 'text' },
    ]);
  });
});
