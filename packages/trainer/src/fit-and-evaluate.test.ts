import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import { evaluationSchema, type FitAndEvaluateArgs, fitAndEvaluate, trainingSchema } from './index.ts';

const DAY_MS = 86_400_000;
/** Five days; on every day each session ends with the item of the day before, and once with that of its own day. */
const sessions = [0, 1, 2, 3, 4].flatMap((day) =>
  [...Array(day + 2).keys()].map((s) => {
    const startMs = Date.UTC(2024, 0, 1 + day) + s * 1000;
    return { items: ['a', s === 0 ? `day${day}` : `day${day - 1}`], timestampsMs: [startMs, startMs + 1] };
  }),
);
const popularity = {
  label: 'popularity',
  create: (size: { numRows: number; seed: number }) =>
    models.popularity.create(models.popularity.configSchema.parse({}), size),
  loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
  training: trainingSchema.parse({}),
};
const common = { sessions, seed: 1, evaluation: evaluationSchema.parse({ metrics: ['hr@2', 'hr@5'] }) };

beforeAll(() => tf.setBackend('cpu'));

test('lists per window and their averages, from startWindow to the window after endWindow, by hand', async () => {
  const { results, perWindow, averages } = await fitAndEvaluate(popularity, {
    ...common,
    startWindow: '2024-01-02',
    endWindow: '2024-01-04',
  });
  expect(results.map(({ trainWindows, evaluateWindow }) => [...trainWindows, evaluateWindow])).toEqual([
    ['2024-01-02', '2024-01-03'],
    ['2024-01-03', '2024-01-04'],
    ['2024-01-04', '2024-01-05'],
  ]);
  // Known after 2 January: a (3 clicks), day0 (2), day1 (1). On the 3rd 3 of 4 targets are day1, third by popularity; day2 is
  // new. Then 4 of 5 and 5 of 6 in the same way: the item of the day before has 1 click, the one before that 3 or 4.
  expect(perWindow['hr@2']).toEqual([0, 0, 0]);
  expect(perWindow['hr@5']).toEqual([3 / 4, 4 / 5, 5 / 6]);
  expect(averages['hr@5']).toBeCloseTo((3 / 4 + 4 / 5 + 5 / 6) / 3, 12);
});

test('sessions outside the windows change nothing, later ones least of all', async () => {
  const bounds = { startWindow: '2024-01-02', endWindow: '2024-01-03' };
  const inside = sessions.filter(
    ({ timestampsMs: [ms] }) => ms >= Date.UTC(2024, 0, 2) && ms < Date.UTC(2024, 0, 2) + 3 * DAY_MS,
  );
  const [whole, cut] = [
    await fitAndEvaluate(popularity, { ...common, ...bounds }),
    await fitAndEvaluate(popularity, { ...common, ...bounds, sessions: inside }),
  ];
  expect(whole.perWindow).toEqual(cut.perWindow);
});

test.each<[string, FitAndEvaluateArgs['policy'], string[][]]>([
  [
    'sliding',
    { policy: 'sliding', size: 2 },
    [
      ['02', '03', '04'],
      ['03', '04', '05'],
    ],
  ],
  [
    'expanding',
    { policy: 'expanding' },
    [
      ['02', '03'],
      ['02', '03', '04'],
      ['02', '03', '04', '05'],
    ],
  ],
  ['frozen', { policy: 'frozen', size: 1 }, [['02', '03'], ['04'], ['05']]],
  [
    'a base period',
    { policy: 'incremental', baseSize: 2 },
    [
      ['02', '03', '04'],
      ['04', '05'],
    ],
  ],
  [
    'replay',
    { policy: 'replay', share: 1 },
    [
      ['02', '03'],
      ['03', '04'],
      ['04', '05'],
    ],
  ],
])('%s: what is trained, and the window that is evaluated', async (_, policy, expected) => {
  const bounds = { startWindow: '2024-01-02', endWindow: '2024-01-04' };
  const { results, perWindow } = await fitAndEvaluate(popularity, { ...common, ...bounds, policy });
  const days = (ids: readonly string[]) => ids.map((id) => id.slice(-2));
  expect(results.map(({ trainWindows, evaluateWindow }) => days([...trainWindows, evaluateWindow]))).toEqual(expected);
  expect(perWindow['hr@5']).toHaveLength(expected.length);
});

test('a frozen model knows the items of its own day alone', async () => {
  const bounds = { startWindow: '2024-01-02', endWindow: '2024-01-04' };
  const { perWindow } = await fitAndEvaluate(popularity, {
    ...common,
    ...bounds,
    policy: { policy: 'frozen', size: 1 },
  });
  // Known: a, day0, day1. Targets of the 3rd: day1 three times of 4; afterwards days that it does not know.
  expect(perWindow['hr@5']).toEqual([3 / 4, 0, 0]);
});

test('windows that are not there or out of order are refused', async () => {
  const run = (startWindow: string, endWindow: string) =>
    fitAndEvaluate(popularity, { ...common, startWindow, endWindow });
  await expect(run('2024-01-09', '2024-01-10')).rejects.toThrow("no window '2024-01-09'");
  await expect(run('2024-01-03', '2024-01-02')).rejects.toThrow('it comes before startWindow 2024-01-03');
  await expect(run('2024-01-03', '2024-01-05')).rejects.toThrow('no window with sessions follows it');
});
