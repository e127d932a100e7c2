import { datasetFromSessions } from './dataset-from-sessions.ts';
import { concatSessions, countSessions } from './sessions.ts';

const day = (n: number, hour: number) => Date.UTC(2024, 0, n, hour);

test('sessions fall into the windows of their starts, ordered by start', async () => {
  const dataset = datasetFromSessions([
    { id: 'late', items: ['c', 'a'], timestampsMs: [day(3, 1), day(3, 2)] },
    { id: 'b', items: ['b', 'c'], timestampsMs: [day(1, 8), day(2, 9)] },
    { id: 'a', items: ['a', 'b', 7], timestampsMs: [day(1, 8), day(1, 8), day(1, 9)] },
  ]);
  expect(dataset.windows.map(({ id, numSessions, numEvents }) => [id, numSessions, numEvents])).toEqual([
    ['2024-01-01', 2, 5],
    ['2024-01-02', 0, 0],
    ['2024-01-03', 1, 2],
  ]);
  const first = await dataset.read(0, 'train');
  expect([...first.itemCodes]).toEqual([0, 1, 2, 1, 3]);
  expect([...first.offsets]).toEqual([0, 3, 5]);
  expect(['a', 'b', '7', 'c'].map((id) => dataset.itemCode(id))).toEqual([0, 1, 2, 3]);
  expect([dataset.rawItemId(2), dataset.numRawItems]).toEqual(['7', 4]);
  expect(countSessions(await dataset.read(1, 'train'))).toBe(0);
  const halves = [await dataset.read(0, 'valid'), await dataset.read(0, 'test')];
  expect(halves.map(countSessions).reduce((a, b) => a + b)).toBe(2);
  const both = concatSessions([first, await dataset.read(2, 'train')]);
  expect([[...both.itemCodes], [...both.offsets]]).toEqual([
    [0, 1, 2, 1, 3, 3, 0],
    [0, 3, 5, 7],
  ]);
});

test.each([
  ['expected at least one session', []],
  ['session 0 is empty', [{ items: [], timestampsMs: [] }]],
  ['session 0 has 1 items but 2 timestamps', [{ items: ['a'], timestampsMs: [1, 2] }]],
  ['session 0, event 1: timestamp is NaN', [{ items: ['a', 'b'], timestampsMs: [1, Number.NaN] }]],
  ['session 0, event 1: time falls from 2 to 1', [{ items: ['a', 'b'], timestampsMs: [2, 1] }]],
])('refuses: %s', (message, sessions) => {
  expect(() => datasetFromSessions(sessions)).toThrow(message);
});
