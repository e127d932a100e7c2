import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { datasetFromSessions, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models, rankByScores, recommendByScores } from '@nimue/models';
import { compareLists } from '../compare-lists.ts';
import { type Contender, runContender } from '../run-rolling.ts';
import { summarizeResults } from '../summarize-results.ts';
import { trainingSchema } from '../training-schema.ts';
import { type EvaluationConfig, evaluationSchema } from './evaluation-schema.ts';

const directory = mkdtempSync(join(tmpdir(), 'evaluate-window-'));
afterAll(() => rmSync(directory, { recursive: true }));

const at = (day: number, second: number) => Date.UTC(2024, 0, day, 12, 0, second);
const session = (day: number, items: string[], user: string, types: string[] = items.map(() => 'click')) => ({
  items,
  timestampsMs: items.map((_, i) => at(day, i)),
  columns: { user: items.map(() => user), type: types },
});
/** Day 1: a ×3, b ×2, c; day 2: c leads; day 3 is asked for. */
const dataset = datasetFromSessions(
  [
    session(1, ['a', 'b'], 'ann'),
    session(1, ['a', 'b'], 'bob'),
    session(1, ['a', 'c'], 'ann'),
    session(2, ['c', 'd'], 'cid'),
    session(2, ['d', 'c'], 'ann', ['click', 'buy']),
    session(2, ['c', 'c', 'd'], 'bob'),
    session(3, ['a', 'c', 'b'], 'dan', ['click', 'buy', 'click']),
    session(3, ['b', 'd'], 'cid'),
  ],
  { split: { validShare: 0 } },
);
const { popularity } = models;
const contender = {
  label: 'popularity',
  create: (size: { numRows: number; seed: number }) =>
    popularity.create(popularity.configSchema.parse({ over: 'all' }), size),
  loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
  training: trainingSchema.parse({}),
};
const run = (evaluation: Partial<EvaluationConfig>, of: Contender = contender) =>
  runContender(of, {
    dataset,
    plan: planRollingEvaluation(dataset.windows, { policy: 'incremental' }),
    evaluation: evaluationSchema.parse({ metrics: ['mrr@9'], ...evaluation }),
    seed: 1,
  });
const write = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

describe('a model through the windows', () => {
  test('candidates of a file, per window: a target outside is a miss, ids unknown to training are left out', async () => {
    const file = write(
      'alive.csv',
      'day,item_id\n2024-01-02,a\n2024-01-02,c\n2024-01-02,z\n2024-01-03,b\n2024-01-03,d\n',
    );
    const results = await run({ candidates: { file, item: 'item_id', window: 'day' } });
    // Day 2: targets d (unknown), c and d; among a, c only c can be hit, behind a. Day 3: b and d among b (2), d (3 clicks).
    expect(results.map(({ metrics }) => metrics['mrr@9'])).toEqual([1 / 2 / 3, (1 / 2 + 1) / 2]);
    expect(results.map(({ numExcludedTargets }) => numExcludedTargets)).toEqual([0, 0]);
    const same = await run({ candidates: { file: write('all.csv', 'sku\nb\nd\n'), item: 'sku' } });
    expect(same[1].metrics).toEqual(results[1].metrics);
  });

  test('candidates that training does not know, or none for a window, are refused', async () => {
    const file = write('other.csv', 'item_id\n100\n200\n');
    await expect(run({ candidates: { file, item: 'item_id' } })).rejects.toThrow(
      "other.csv: none of the 2 candidates of window '2024-01-02' occurs in training, such as '100'",
    );
    const late = write('late.csv', 'day,item_id\n2024-01-03,a\n');
    await expect(run({ candidates: { file: late, item: 'item_id', window: 'day' } })).rejects.toThrow(
      "no candidate for window '2024-01-02'",
    );
  });

  test('users that training has met are seen from the next window on, and parts sum up over windows', async () => {
    const results = await run({ slices: [{ seen: 'user' }, { column: 'type' }] });
    const rows = ({ slices = [] }: (typeof results)[number]) =>
      slices.map(({ slice, part, numTargets }) => [slice, part, numTargets]);
    expect(rows(results[0])).toEqual([
      ['user in training', 'new', 1],
      ['user in training', 'seen', 2],
      ['type', 'click', 2],
      ['type', 'buy', 1],
    ]);
    expect(rows(results[1])).toEqual([
      ['user in training', 'new', 1],
      ['user in training', 'seen', 1],
      ['type', 'click', 2],
    ]);
    const [{ slices, metrics }] = summarizeResults(results);
    expect(slices.map(({ slice, part, numTargets }) => [slice, part, numTargets])).toEqual([
      ['user in training', 'new', 2],
      ['user in training', 'seen', 3],
      ['type', 'click', 4],
      ['type', 'buy', 1],
    ]);
    const mean = (name: string) =>
      slices
        .filter(({ slice }) => slice === name)
        .reduce((sum, row) => sum + row.numTargets * row.metrics['mrr@9'], 0) / 5;
    const all = (3 * results[0].metrics['mrr@9'] + 2 * results[1].metrics['mrr@9']) / 5;
    expect(mean('type')).toBeCloseTo(all, 12);
    expect(mean('user in training')).toBeCloseTo(all, 12);
    expect(Object.keys(metrics)).toEqual(['mrr@9']);
  });

  test('purchases alone are asked for, in every window', async () => {
    const results = await run({ targets: { column: 'type', is: ['buy'] } });
    expect(results.map(({ numTargets }) => numTargets)).toEqual([1, 1]);
    // Day 2: c after d, known a (3), b (2), c (1): place 3. Day 3: c after a; c 5, a 3, d 3, b 2: place 1.
    expect(results.map(({ metrics }) => metrics['mrr@9'])).toEqual([1 / 3, 1]);
  });

  test('diversity by the category of the newest train event, or by vectors of a file', async () => {
    // The model lists by clicks, ties by id: a, b on day 2 and c, a on day 3. Newest train events are all clicks …
    const byType = await run({ metrics: ['diversity@2'], diversity: { column: 'type' } });
    expect(byType.map(({ metrics }) => metrics['diversity@2'])).toEqual([0, 0]);
    // … of a by ann, of b and (on day 2) c by bob.
    const byUser = await run({ metrics: ['diversity@2'], diversity: { column: 'user' } });
    expect(byUser.map(({ metrics }) => metrics['diversity@2'])).toEqual([1, 1]);
    const file = write('vectors.csv', 'item_id,x,y\na,1,0\nb,0,2\nc,-3,0\nd,1,1\n');
    const byVectors = await run({ metrics: ['diversity@2'], diversity: { file, item: 'item_id', missing: 'error' } });
    // a and b at a right angle; c and a opposite.
    expect(byVectors.map(({ metrics }) => metrics['diversity@2'])).toEqual([1, 2]);
    const incomplete = write('few.csv', 'item_id,x,y\na,1,0\nb,0,2\n');
    await expect(
      run({ metrics: ['diversity@2'], diversity: { file: incomplete, item: 'item_id', missing: 'error' } }),
    ).rejects.toThrow("item 'c' has no pretrained vector");
  });

  test('overlap: lists of the last window alone, compared between models', async () => {
    const results = await run({ overlap: 2 });
    expect(results.map(({ lists }) => lists?.itemIds.length)).toEqual([undefined, 4]);
    const other = results.map((result) => ({
      ...result,
      model: 'other',
      ...(result.lists && { lists: { itemIds: result.lists.itemIds.map((id, i) => (i === 0 ? 99 : id)), length: 2 } }),
    }));
    expect(compareLists([...results, ...other])).toEqual([{ a: 'popularity', b: 'other', k: 2, overlap: 3 / 4 }]);
    expect(compareLists(results)).toEqual([]);
  });

  test('a score that is not finite is an error that names model and item, whatever is asked', async () => {
    for (const evaluation of [{}, { metrics: ['coverage@1'] }, { ties: 'mean' as const }]) {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const broken = {
          ...contender,
          label: 'broken',
          create(size: { numRows: number; seed: number }) {
            const model = contender.create(size);
            const score = (_batch: unknown, _position: number, scores: Float64Array) => {
              scores.fill(1);
              scores[FIRST_ITEM_ID + 1] = bad;
            };
            return {
              ...model,
              rankTargets: (batch: SessionBatch, options?: object) =>
                rankByScores(score, model.numRows, batch, options),
              recommend: (batch: SessionBatch, k: number) => recommendByScores(score, model.numRows, batch, k),
            } as typeof model;
          },
        };
        await expect(run(evaluation, broken)).rejects.toThrow(
          `broken: the score of item 'b' is ${bad} in window 2024-01-02, which has no place in a ranking`,
        );
      }
    }
  });
});
