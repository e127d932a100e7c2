import { datasetFromSessions, ItemVocabulary } from '@nimue/data';
import { addItemHistory, NO_HISTORY } from './item-history.ts';
import { readTrainSessions } from './train-sessions.ts';

const dataset = datasetFromSessions(
  [['a', 'b', 'a'], ['b', 'c'], ['a'], ['d']].map((items, day) => ({
    items,
    timestampsMs: items.map((_, i) => Date.UTC(2024, 0, day + 1, 0, 0, i)),
  })),
);

test.each([1_000_000, 1])('counts and ages by windows, in memory or in a file (%p events at most)', async (limit) => {
  const vocabulary = new ItemVocabulary();
  let history = NO_HISTORY;
  const learn = async (windows: number[]) => {
    const train = await readTrainSessions(dataset, windows, vocabulary, limit);
    history = await addItemHistory(history, train, vocabulary.size);
    train.dispose();
    // Ids 3, 4, 5, 6 are a, b, c, d.
    return { counts: [...history.counts.subarray(3)], ages: [...history.ages.subarray(3)] };
  };
  expect(await learn([0])).toEqual({ counts: [2, 1], ages: [0, 0] });
  const first = history;
  expect(await learn([1])).toEqual({ counts: [2, 2, 1], ages: [1, 0, 0] });
  expect(first.ages[3]).toBe(0);
  // Two windows in one step: b and c were met in the window before them.
  expect(await learn([2, 3])).toEqual({ counts: [3, 2, 1, 1], ages: [1, 2, 2, 0] });
  expect([...history.counts.subarray(0, 3)]).toEqual([0, 0, 0]);
  expect([...history.ages.subarray(0, 3)]).toEqual([2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1]);
});
