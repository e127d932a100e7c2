import { datasetFromSessions, ItemVocabulary } from '@nimue/data';
import { addItemAges } from './item-ages.ts';
import { readTrainSessions } from './train-sessions.ts';

const dataset = datasetFromSessions(
  [['a', 'b'], ['b', 'c'], ['a'], ['d']].map((items, day) => ({
    items,
    timestampsMs: items.map((_, i) => Date.UTC(2024, 0, day + 1, 0, 0, i)),
  })),
);

test.each([1_000_000, 1])('ages by windows, in memory or in a file (%p events at most)', async (limit) => {
  const vocabulary = new ItemVocabulary();
  let ages: Int32Array = new Int32Array(0);
  const learn = async (windows: number[]) => {
    const train = await readTrainSessions(dataset, windows, vocabulary, limit);
    ages = await addItemAges(ages, train, vocabulary.size);
    train.dispose();
    return [...ages.subarray(3)];
  };
  // Ids 3, 4, 5, 6 are a, b, c, d.
  expect(await learn([0])).toEqual([0, 0]);
  expect(await learn([1])).toEqual([1, 0, 0]);
  // Two windows in one step: b and c were met in the window before them.
  expect(await learn([2, 3])).toEqual([1, 2, 2, 0]);
  expect(ages[0]).toBe(2 ** 31 - 1);
});
