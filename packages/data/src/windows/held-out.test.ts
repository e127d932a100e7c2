import fc from 'fast-check';
import { datasetFromSessions } from '../dataset/dataset-from-sessions.ts';
import type { Sessions } from '../dataset/sessions.ts';
import type { SplitName, WindowedDataset } from '../dataset/windowed-dataset.ts';
import { type EvaluationPolicy, evaluationPolicySchema, planEvaluation } from './plan-evaluation.ts';

const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 1, 12);

/** One sequence per word, one event per letter; a number after a letter is the day of that event and of those after it. */
function datasetOf(...words: string[]): WindowedDataset {
  const sessions = words.map((word, s) => {
    const events = [...word.matchAll(/([a-z])(\d*)/g)];
    let day = 0;
    const days = events.map(([, , number], i) => {
      day = number === '' ? day : Number(number);
      return START + day * DAY + i;
    });
    return { id: `u${s}`, items: events.map(([, letter]) => letter), timestampsMs: days };
  });
  return datasetFromSessions(sessions, { windows: { span: 'all' } });
}

function wordsOf(dataset: WindowedDataset, { itemCodes, offsets }: Sessions): string[] {
  return Array.from({ length: offsets.length - 1 }, (_, s) =>
    Array.from(itemCodes.subarray(offsets[s], offsets[s + 1]), (code) => dataset.rawItemId(code)).join(''),
  );
}

/** Per step: what is trained on, and the sequences whose last event is asked for. */
async function partsOf(log: WindowedDataset, policy: object): Promise<Record<SplitName, string[]>[]> {
  const options = { split: { validShare: 0.5 } };
  const { dataset, plan } = await planEvaluation(
    log,
    evaluationPolicySchema.parse(policy) as EvaluationPolicy,
    options,
  );
  return Promise.all(
    plan.steps.map(async ({ trainWindows: [train], evaluateWindow }) => ({
      train: wordsOf(log, await dataset.read(train, 'train')),
      valid: wordsOf(log, await dataset.read(evaluateWindow, 'valid')),
      test: wordsOf(log, await dataset.read(evaluateWindow, 'test')),
    })),
  );
}

test('leaveOneOut: the last event is the test, the last but one the validation; short sequences only train', async () => {
  expect(await partsOf(datasetOf('abcde', 'xy', 'pqr'), { policy: 'leaveOneOut' })).toEqual([
    { train: ['abc', 'xy', 'p'], valid: ['abcd', 'pq'], test: ['abcde', 'pqr'] },
  ]);
});

test('lastN: every one of the last events is asked for, with all before it visible', async () => {
  expect(await partsOf(datasetOf('abcde', 'pqrs'), { policy: 'lastN', numTargets: 2 })).toEqual([
    { train: ['a', 'pqrs'], valid: ['ab', 'abc'], test: ['abcd', 'abcde'] },
  ]);
});

test('globalTime: nothing from the cut on is trained on, whose sequence ever it is', async () => {
  const log = datasetOf('a0b1c5d6e9', 'p5q6', 'x1y2z9', 'm9n');
  const cut = { policy: 'globalTime', validFrom: '2024-01-05', testFrom: '2024-01-09' };
  // Days 0 … 3 train, 4 … 7 validate, 8 … are tested; p and m have nothing before them and are no targets.
  const train = ['ab', 'xy'];
  expect(await partsOf(log, cut)).toEqual([{ train, valid: ['abc', 'abcd', 'pq'], test: ['abcde', 'xyz', 'mn'] }]);
  expect(await partsOf(log, { ...cut, targets: 'first' })).toEqual([
    { train, valid: ['abc', 'pq'], test: ['abcde', 'xyz', 'mn'] },
  ]);
  expect(await partsOf(log, { ...cut, targets: 'last' })).toEqual([
    { train, valid: ['abcd', 'pq'], test: ['abcde', 'xyz', 'mn'] },
  ]);
  // 12 events: 4 of them before the first cut, 8 before the second.
  expect(await partsOf(log, { policy: 'globalTime', validFrom: 0.34, testFrom: 0.67 })).toEqual([
    { train: ['ab', 'xy'], valid: ['abc', 'abcd', 'pq'], test: ['abcde', 'xyz', 'mn'] },
  ]);
});

test('timeRange: folds at the end, each after all that comes before it', async () => {
  const log = datasetOf('a0b1c2d3', 'p0q3', 'x2y3z3');
  const folds = await partsOf(log, { policy: 'timeRange', testSize: '1d', numFolds: 2 });
  expect(folds.map(({ train }) => train)).toEqual([
    ['ab', 'p'],
    ['abc', 'p', 'x'],
  ]);
  expect(folds.map(({ valid, test }) => [...valid, ...test].sort())).toEqual([['abc'], ['abcd', 'pq', 'xy', 'xyz']]);
  const sides = folds[1];
  expect(sides.valid.includes('xy')).toBe(sides.valid.includes('xyz'));
});

test.each<[string, () => Promise<unknown>]>([
  [
    'planEvaluation: leaveOneOut leaves no event to ask for in held-out; choose other bounds',
    () => partsOf(datasetOf('ab', 'c'), { policy: 'leaveOneOut' }),
  ],
  [
    'globalTime: validFrom (2024-01-05T00:00:00.000Z) must come before testFrom (2024-01-03T00:00:00.000Z)',
    () => partsOf(datasetOf('a0b9'), { policy: 'globalTime', validFrom: '2024-01-05', testFrom: '2024-01-03' }),
  ],
  [
    'globalTime cuts by time, but the log has none (dataset.columns.timestamp); take leaveOneOut or lastN',
    () => {
      const policy = { policy: 'globalTime', validFrom: 0.5, testFrom: 0.8 };
      return partsOf({ ...datasetOf('abc'), hasTimes: false }, policy);
    },
  ],
  [
    "leaveOneOut takes the whole log, but it is cut into 2 windows; set windows.span to 'all'",
    () => {
      const sessions = [0, DAY].map((ms) => ({ items: ['a', 'b'], timestampsMs: [START + ms, START + ms] }));
      return partsOf(datasetFromSessions(sessions), { policy: 'leaveOneOut' });
    },
  ],
])('refuses: %s', async (message, act) => {
  await expect(act()).rejects.toThrow(message);
});

test('what is trained on is never read for evaluation, and the other way round', async () => {
  const { dataset } = await planEvaluation(datasetOf('abc'), { policy: 'leaveOneOut', span: 'all' });
  await expect(dataset.read(0, 'test')).rejects.toThrow("history is only trained on, but its 'test' was asked for");
  await expect(dataset.read(1, 'train')).rejects.toThrow("held-out is never trained on, but its 'train' was asked for");
});

test('a global cut equals the naive version on random logs', async () => {
  const sequence = fc.array(fc.nat(9), { minLength: 1, maxLength: 6 }).map((days) => [...days].sort((a, b) => a - b));
  await fc.assert(
    fc.asyncProperty(
      fc.array(sequence, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 8 }),
      async (logs, cut) => {
        const letter = (s: number, i: number) => String.fromCharCode(97 + s * 3 + (i % 3));
        const words = logs.map((days, s) => days.map((day, i) => `${letter(s, i)}${day}`).join(''));
        const date = (day: number) => new Date(Date.UTC(2024, 0, 1 + day)).toISOString();
        const plain = logs.map((days, s) => days.map((day, i) => ({ day, item: letter(s, i) })));
        const train = plain
          .map((events) => events.filter(({ day }) => day < cut))
          .filter((events) => events.length > 0);
        const targets = (from: number, to: number) =>
          plain.flatMap((events) =>
            events.flatMap(({ day }, i) => (i > 0 && day >= from && day < to ? [events.slice(0, i + 1)] : [])),
          );
        const [valid, test] = [targets(cut, cut + 1), targets(cut + 1, 99)];
        const attempt = partsOf(datasetOf(...words), {
          policy: 'globalTime',
          validFrom: date(cut),
          testFrom: date(cut + 1),
        });
        if (train.length * valid.length * test.length === 0) {
          await expect(attempt).rejects.toThrow('planEvaluation: globalTime leaves');
          return;
        }
        const text = (events: readonly { readonly item: string }[]) => events.map(({ item }) => item).join('');
        const [parts] = await attempt;
        expect(parts.train.sort()).toEqual(train.map(text).sort());
        expect(parts.valid.sort()).toEqual(valid.map(text).sort());
        expect(parts.test.sort()).toEqual(test.map(text).sort());
      },
    ),
    { numRuns: 100, seed: 3 },
  );
});
