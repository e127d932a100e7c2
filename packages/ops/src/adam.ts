import * as tf from '@tensorflow/tfjs';
import { assertLikeParameter, assertUniqueRows } from './assert-args.ts';
import { type AdamArgs, fusedKernel } from './fused-kernels.ts';

/**
 * One step of Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2),
 * in place:
 *
 * m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², p ← p − η ( m̂ / (√v̂ + ε) + λ p ).
 *
 * With `rows`, only those rows of a parameter [V, D] and of its moments move, whatever stands in the other rows of the
 * gradient ("lazy" Adam: `LazyAdam` of TensorFlow Addons, `SparseAdam` of PyTorch); the bias correction still counts all
 * steps. This is not dense Adam with zero gradients elsewhere: dense Adam moves a row on by its momentum, lets its
 * moments fall and decays its weights in every step. The two agree, with λ = 0, up to and including the first step that
 * names a row, and for as long as every step after it names the row again.
 *
 * @throws when the gradient does not have the parameter's shape, when `rows` comes with a parameter that is no matrix, or
 * when a row is out of range or named twice
 */
export function adam(args: AdamArgs): void {
  const { parameter, gradient, rows } = args;
  assertLikeParameter('adam', 'gradient', gradient, parameter);
  if (rows) {
    if (parameter.rank !== 2) {
      throw new Error(
        `adam: rows needs a parameter of shape [V, D], got '${parameter.name}' of shape [${parameter.shape.join(', ')}]; leave rows out`,
      );
    }
    assertUniqueRows('adam', rows, parameter.shape[0]);
  }
  const fused = fusedKernel('adam');
  if (fused) fused(args);
  else adamReference(args);
}

export function adamReference(args: AdamArgs): void {
  const { parameter, gradient, moment1, moment2, learningRate, beta1, beta2, epsilon, weightDecay, step, rows } = args;
  tf.tidy(() => {
    const m = tf.add(tf.mul(moment1, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(moment2, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const mHat = tf.div(m, 1 - beta1 ** step);
    const root = tf.sqrt(tf.div(v, 1 - beta2 ** step));
    const update = tf.add(tf.div(mHat, tf.add(root, epsilon)), tf.mul(parameter, weightDecay));
    const isMoved = rows && rowMask(rows, parameter.shape);
    const move = (before: tf.Variable, after: tf.Tensor) =>
      before.assign(isMoved ? tf.where(isMoved, after, before) : after);
    move(moment1, m);
    move(moment2, v);
    move(parameter, tf.sub(parameter, tf.mul(update, learningRate)));
  });
}

/** True in the named rows → [V, D]. */
function rowMask(rows: Int32Array, shape: readonly number[]): tf.Tensor {
  const [numRows, width] = shape;
  const mask = new Uint8Array(numRows * width);
  for (const row of rows) mask.fill(1, row * width, (row + 1) * width);
  return tf.tensor(mask, [numRows, width], 'bool');
}
