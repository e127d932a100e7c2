import { sampleItems, withReferenceOps } from '@nimue/ops';
import * as tf from '@tensorflow/tfjs';
import { configurations, configure } from '../test/compare-backends.ts';
import { createRandom, randomFloats } from '../test/random-arrays.ts';

test.each([
  [0, 5, 3],
  [1, 4, 1],
  [7, 60, 7],
  [130, 1300, 16],
  [3, 5000, 33],
])('%i rows, table %i × %i: the draws of the reference', (rows, items, width) => {
  const random = createRandom(rows + items);
  const values = [
    randomFloats(random, rows * width),
    randomFloats(random, items * width),
    randomFloats(random, items),
  ] as const;
  const draw = (backend: string) => {
    tf.setBackend(backend);
    const hidden = tf.tensor2d(values[0].slice(), [rows, width]);
    const table = tf.tensor2d(values[1].slice(), [items, width]);
    const bias = tf.tensor1d(values[2].slice());
    const itemIds = sampleItems(hidden, table, { bias, temperature: 0.7, seed: 5 });
    tf.dispose([hidden, table, bias]);
    return itemIds;
  };
  const expected = withReferenceOps(() => draw('cpu'));
  for (const configuration of configurations()) {
    configure(configuration);
    expect(draw('native')).toEqual(expected);
  }
});

test('a score that is not finite is named by row and item', () => {
  tf.setBackend('native');
  const table = tf.tensor2d([0, 0, 0, 1, Number.POSITIVE_INFINITY, 1], [6, 1]);
  const hidden = tf.tensor2d([1, 2], [2, 1]);
  expect(() => sampleItems(hidden, table, { seed: 1 })).toThrow(
    'sampleItems: the score of row 0, item id 4 is Infinity',
  );
  tf.dispose([hidden, table]);
});
