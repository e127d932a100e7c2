import * as tf from '@tensorflow/tfjs';
import { readNumbers } from './read-numbers.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

test('the numbers of what was computed; nothing is left, and what was there before stays and is not shared', () => {
  const kept = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  const before = tf.memory().numTensors;
  expect([...readNumbers(() => tf.sum(tf.add(kept, 1), 1))]).toEqual([5, 9]);
  const copy = readNumbers(() => kept);
  copy[0] = 9;
  expect([...kept.dataSync()]).toEqual([1, 2, 3, 4]);
  expect(tf.memory().numTensors).toBe(before);
  kept.dispose();
});

test('an error in between is passed on, and nothing is left', () => {
  const before = tf.memory().numTensors;
  const fail = () => {
    tf.ones([2]);
    throw new Error('no');
  };
  expect(() => readNumbers(fail)).toThrow('no');
  expect(tf.memory().numTensors).toBe(before);
});
