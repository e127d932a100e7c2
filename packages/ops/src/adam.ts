import * as tf from '@tensorflow/tfjs';
import { type AdamArgs, fusedKernel } from './fused-kernels.ts';
import { assertGradient, moveTo, movingPart } from './moved-rows.ts';

/**
 * One step of Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2),
 * in place:
 *
 * m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², p ← p − η ( m̂ / (√v̂ + ε) + λ p ).
 *
 * With `l2` g is the gradient of loss + λ₂/2 ‖p‖²: λ₂ p is added before the moments see it, so that it is scaled as the
 * gradient is (`weight_decay` of PyTorch's `Adam`; that of its `AdamW` is λ).
 *
 * With `rows`, the gradient holds those rows alone, and only they move, in the parameter and in its moments ("lazy" Adam:
 * `LazyAdam` of TensorFlow Addons, `SparseAdam` of PyTorch); the bias correction still counts all steps. This is not dense Adam with zero gradients elsewhere: dense Adam moves a row on by its momentum, lets its
 * moments fall and decays its weights in every step. The two agree, with λ = 0, up to and including the first step that
 * names a row, and for as long as every step after it names the row again.
 *
 * @throws when the gradient does not have the parameter's shape (with `rows`: one row for each), or when a row is out of
 * range or named twice
 */
export function adam(args: AdamArgs): void {
  const { parameter, gradient, rows } = args;
  assertGradient('adam', gradient, parameter, rows);
  const fused = fusedKernel('adam');
  if (fused) fused(args);
  else adamReference(args);
}

export function adamReference(args: AdamArgs): void {
  const { parameter, gradient, moment1, moment2, learningRate, beta1, beta2, epsilon, weightDecay, step, rows } = args;
  const { l2 = 0 } = args;
  tf.tidy(() => {
    const [p, m0, v0] = [parameter, moment1, moment2].map((variable) => movingPart(variable, rows));
    const g = l2 > 0 ? tf.add(gradient, tf.mul(p, l2)) : gradient;
    const m = tf.add(tf.mul(m0, beta1), tf.mul(g, 1 - beta1));
    const v = tf.add(tf.mul(v0, beta2), tf.mul(tf.square(g), 1 - beta2));
    const mHat = tf.div(m, 1 - beta1 ** step);
    const root = tf.sqrt(tf.div(v, 1 - beta2 ** step));
    const update = tf.add(tf.div(mHat, tf.add(root, epsilon)), tf.mul(p, weightDecay));
    moveTo(moment1, rows, m);
    moveTo(moment2, rows, v);
    moveTo(parameter, rows, tf.sub(p, tf.mul(update, learningRate)));
  });
}
