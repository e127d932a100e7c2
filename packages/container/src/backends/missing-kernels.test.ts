import * as tf from '@tensorflow/tfjs';
import { chooseBackend } from './choose-backend.ts';

test.each(['cpu', 'wasm'] as const)(
  "%s: tf.gather's own gradient adds up rows that were picked twice",
  async (name) => {
    await chooseBackend(name);
    const before = tf.memory().numTensors;
    const [rows, grid] = tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
      const weights = tf.tensor2d([1, 10, 100, 1000, 2, 20], [3, 2]);
      const gradient = tf.grad((x) => tf.sum(tf.mul(tf.gather(x, tf.tensor1d([2, 0, 2], 'int32')), weights)));
      const ids = tf.tensor2d([1, 0, 1, 1], [2, 2], 'int32');
      const inGrid = tf.grad((x) => tf.sum(tf.mul(tf.gather(x, ids), tf.reshape(tf.range(0, 8), [2, 2, 2]))));
      return [gradient(x).dataSync().slice(), inGrid(x).dataSync().slice()];
    });
    expect([...rows]).toEqual([100, 1000, 0, 0, 3, 30]);
    // weights 0 … 7 in pairs: row 0 gets the pair 2 3, row 1 the pairs 0 1, 4 5 and 6 7
    expect([...grid]).toEqual([2, 3, 10, 13, 0, 0]);
    expect(tf.memory().numTensors).toBe(before);
  },
);
