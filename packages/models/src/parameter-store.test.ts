import * as tf from '@tensorflow/tfjs';
import { ParameterStore, withoutStartingValues } from './parameter-store.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

function createStore(numRows: number): ParameterStore {
  const store = new ParameterStore(7);
  store.add('items', [numRows, 3], { kind: 'normal', standardDeviation: 1 }, true);
  store.add('layer', [2, 3], { kind: 'glorot' });
  store.add('ring', [numRows, 1], { kind: 'ringAngle' }, true);
  return store;
}

test('weights that are about to be written are made when they are, or are first asked for', () => {
  const { numTensors } = tf.memory();
  const store = withoutStartingValues(() => createStore(6));
  expect([store.numWeights, store.shape('items')]).toEqual([6 * 3 + 6 + 6, [6, 3]]);
  expect(tf.memory().numTensors).toBe(numTensors);
  expect(store.matrix('layer').shape).toEqual([2, 3]);
  expect(tf.memory().numTensors).toBe(numTensors + 1);
  const values = new Map([
    ['items', Float32Array.from({ length: 18 }, (_, i) => i)],
    ['layer', Float32Array.of(1, 2, 3, 4, 5, 6)],
    ['ring', new Float32Array(6)],
  ]);
  expect(() => store.write(new Map([...values].slice(1)))).toThrow("'items' needs 18 values, got none");
  store.write(values);
  expect(store.read()).toEqual(values);
  // Copies: what was given is nobody's business afterwards.
  values.get('items')?.fill(-1);
  expect(store.read().get('items')).toEqual(Float32Array.from({ length: 18 }, (_, i) => i));
  store.dispose();
  const drawn = createStore(6);
  expect(tf.memory().numTensors).toBe(numTensors + 3);
  const asked = withoutStartingValues(() => createStore(6));
  expect(asked.read()).toEqual(drawn.read());
  asked.dispose();
  drawn.dispose();
  expect(tf.memory().numTensors).toBe(numTensors);
});

test('rows that are added start as they would have from the beginning, whatever the ones before have become', () => {
  const grown = createStore(5);
  const own = grown
    .read()
    .get('items')
    ?.map((value) => 10 * value) as Float32Array;
  grown.write(new Map([...grown.read(), ['items', own]]));
  grown.resizeItems(9);
  const whole = createStore(9).read();
  for (const [name, width] of [
    ['items', 3],
    ['ring', 1],
  ] as const) {
    expect(
      grown
        .read()
        .get(name)
        ?.subarray(5 * width),
    ).toEqual(whole.get(name)?.subarray(5 * width));
  }
  expect(grown.read().get('items')?.subarray(0, 15)).toEqual(own);
  expect(whole.get('items')?.subarray(0, 9)).toEqual(new Float32Array(9));
  expect(
    whole
      .get('items')
      ?.subarray(9)
      .every((value) => value !== 0),
  ).toBe(true);
  grown.dispose();
});
