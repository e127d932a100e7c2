import { FIRST_ITEM_ID } from '@nimue/batch';
import { deriveSeed, softmaxHead } from '@nimue/ops';
import * as tf from '@tensorflow/tfjs';

/** How fast the current backend is at what training spends its time on. */
export interface BackendSpeed {
  /** Matrix product of two square matrices, billions of operations a second. */
  readonly productGflops: number;
  /** Softmax head, loss and both gradients, as 6 · rows · width · items operations, billions a second. */
  readonly headGflops: number;
}

/** A measurement is long enough from here on. */
const MIN_MS = 60;
const HEAD_ROWS = 256;
const HEAD_WIDTH = 64;
const DRAWN = Float32Array.from({ length: 4093 }, (_, i) => deriveSeed(2, i) / 2 ** 32 - 0.5);

/**
 * Measures TensorFlow.js's current backend, with sizes that double until one run takes long enough: well under a second on
 * any of them. Other programs on the machine lower the figures.
 */
export function measureBackend(): BackendSpeed {
  return { productGflops: growing(64, 2048, product), headGflops: growing(256, 65_536, head) };
}

/** Speed at the first size whose best of three runs takes long enough, or at the largest. */
function growing(first: number, last: number, measure: (size: number) => { run: () => void; flops: number }): number {
  for (let size = first; ; size *= 2) {
    const speed = tf.tidy(() => {
      const { run, flops } = measure(size);
      run();
      const times = [0, 1, 2].map(() => {
        const start = performance.now();
        run();
        return performance.now() - start;
      });
      const best = Math.min(...times);
      return { gflops: flops / best / 1e6, isEnough: best >= MIN_MS };
    });
    if (speed.isEnough || size >= last) return speed.gflops;
  }
}

function product(size: number) {
  const [a, b] = [random(size, size), random(size, size)];
  return { flops: 2 * size ** 3, run: () => tf.tidy(() => void tf.matMul(a, b).dataSync()) };
}

function head(numItems: number) {
  const hidden = random(HEAD_ROWS, HEAD_WIDTH);
  const table = random(FIRST_ITEM_ID + numItems, HEAD_WIDTH);
  const targetIds = Int32Array.from({ length: HEAD_ROWS }, (_, n) => FIRST_ITEM_ID + (deriveSeed(1, n) % numItems));
  const gradients = tf.grads((h: tf.Tensor, t: tf.Tensor) =>
    softmaxHead(h as tf.Tensor2D, t as tf.Tensor2D, targetIds),
  );
  const run = () =>
    tf.tidy(() => {
      for (const gradient of gradients([hidden, table])) gradient.dataSync();
    });
  return { flops: 6 * HEAD_ROWS * HEAD_WIDTH * numItems, run };
}

function random(rows: number, columns: number): tf.Tensor2D {
  // The same few thousand again and again: drawing millions would take longer than what is measured.
  const values = new Float32Array(rows * columns).map((_, i) => DRAWN[i % DRAWN.length]);
  return tf.tensor2d(values, [rows, columns]);
}
