import { adam, embed, linear, softmaxHead } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { createRandom, randomIds } from '../test/random-arrays.ts';
import { BufferPool, sizeClass } from './buffer-pool.ts';
import { NativeBackend } from './native-backend.ts';
import { nativeAddon, registerNativeBackend } from './register-native-backend.ts';

test('size classes hold what is asked and waste at most a quarter', () => {
  for (let bytes = 0; bytes < 100_000; bytes += 37) {
    expect(sizeClass(bytes)).toBeGreaterThanOrEqual(bytes);
    expect(sizeClass(bytes)).toBeLessThanOrEqual(Math.max(256, bytes * 1.25));
    expect(sizeClass(sizeClass(bytes))).toBe(sizeClass(bytes));
  }
});

test('released memory serves again, aligned, up to the cap', () => {
  const pool = new BufferPool(() => 0);
  const first = pool.take(1000);
  pool.release(first.buffer);
  expect(pool.take(990).buffer).toBe(first.buffer);
  expect(pool.idleBytes).toBe(0);
  for (let i = 0; i < 40; i++) pool.release(pool.take(1_000_000).buffer);
  for (const array of Array.from({ length: 120 }, () => pool.take(1_000_000))) pool.release(array.buffer);
  expect(pool.idleBytes).toBeLessThanOrEqual(384 * 1024 * 1024);
});

test('an array lies where a somewhat smaller or larger one lay', () => {
  for (const [first, second, shared] of [
    [100_000, 110_000, true],
    [100_000, 60_000, true],
    [100_000, 150_000, false],
    [100_000, 40_000, false],
    [1000, 1300, false],
    [1000, 700, false],
  ] as const) {
    const pool = new BufferPool(() => 0);
    const { buffer } = pool.take(first);
    pool.release(buffer);
    const next = pool.take(second);
    expect(next).toHaveLength(second);
    expect(next.buffer === buffer).toBe(shared);
    // What was lent comes back as what it was.
    pool.release(next.buffer);
    expect(pool.take(first).buffer === buffer).toBe(true);
  }
});

test('thousands of steps with varying batch sizes keep memory and the number of tensors flat', () => {
  expect(registerNativeBackend()).toMatchObject({ available: true });
  tf.setBackend('native');
  const backend = tf.backend() as NativeBackend;
  expect(backend).toBeInstanceOf(NativeBackend);
  const random = createRandom(1);
  const table = tf.variable(tf.randomNormal([503, 16]), true, 'pool-table');
  const weights = tf.variable(tf.randomNormal([16, 16]), true, 'pool-weights');
  const moments = [table, weights].map((v) => [0, 1].map(() => tf.variable(tf.zerosLike(v), false)));
  const step = (index: number) => {
    const size = 1 + Math.floor(random() * 300);
    const itemIds = randomIds(random, size, 3, 503);
    const { value, grads } = tf.variableGrads(
      () => softmaxHead(linear(embed(table as Tensor2D, itemIds), weights as Tensor2D), table as Tensor2D, itemIds),
      [table, weights],
    );
    [table, weights].forEach((parameter, i) => {
      const [moment1, moment2] = moments[i];
      const settings = { learningRate: 1e-3, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0, step: index + 1 };
      adam({ parameter, gradient: grads[parameter.name], moment1, moment2, ...settings });
    });
    tf.dispose([value, grads]);
  };
  for (let i = 0; i < 600; i++) step(i);
  const before = {
    tensors: tf.memory().numTensors,
    idle: backend.pool.idleBytes,
    scratch: nativeAddon().idleScratchBytes(),
  };
  const rss = process.memoryUsage().rss;
  for (let i = 600; i < 2000; i++) step(i);
  expect(tf.memory().numTensors).toBe(before.tensors);
  expect(backend.pool.idleBytes).toBeLessThan(before.idle * 1.3 + 65536);
  expect(nativeAddon().idleScratchBytes()).toBeLessThan(before.scratch * 1.5 + 1_000_000);
  expect(process.memoryUsage().rss - rss).toBeLessThan(80e6);
});
