import { datasetFromSessions, ItemVocabulary } from '@nimue/data';
import { addItemCounts } from './count-items.ts';
import { readTrainSessions } from './train-sessions.ts';

const dataset = datasetFromSessions(
  [
    ['a', 'b', 'a'],
    ['c', 'a'],
  ].map((items, day) => ({ items, timestampsMs: items.map((_, i) => Date.UTC(2024, 0, day + 1, 0, 0, i)) })),
);

test.each([1_000_000, 1])(
  'counts grow from step to step, in memory or in a file (%p events at most)',
  async (limit) => {
    const vocabulary = new ItemVocabulary();
    const first = await readTrainSessions(dataset, [0], vocabulary, limit);
    const one = await addItemCounts(new Int32Array(0), first, vocabulary.size);
    // Ids 3 and 4 are a and b.
    expect([...one]).toEqual([0, 0, 0, 2, 1]);
    first.dispose();
    const second = await readTrainSessions(dataset, [1], vocabulary, limit);
    expect([...(await addItemCounts(one, second, vocabulary.size))]).toEqual([0, 0, 0, 3, 1, 1]);
    second.dispose();
  },
);
