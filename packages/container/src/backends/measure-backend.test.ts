import * as tf from '@tensorflow/tfjs';
import { chooseBackend } from './choose-backend.ts';
import { measureBackend } from './measure-backend.ts';

test.each(['native', 'wasm'] as const)('%s is measured, and nothing stays behind', async (name) => {
  await chooseBackend(name);
  const before = tf.memory().numTensors;
  const { productGflops, headGflops } = measureBackend();
  // A machine that multiplies fewer than a million or more than 10¹⁵ numbers a second was measured wrongly.
  for (const gflops of [productGflops, headGflops]) {
    expect(gflops).toBeGreaterThan(1e-3);
    expect(gflops).toBeLessThan(1e6);
  }
  expect(tf.memory().numTensors).toBe(before);
});
