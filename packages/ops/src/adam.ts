import * as tf from '@tensorflow/tfjs';
import { assertLikeParameter } from './assert-args.ts';
import { type AdamArgs, fusedKernel } from './fused-kernels.ts';

/**
 * One step of Adam (Kingma & Ba 2015, algorithm 1) with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2),
 * in place:
 *
 * m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², p ← p − η ( m̂ / (√v̂ + ε) + λ p ).
 *
 * @throws when the gradient does not have the parameter's shape
 */
export function adam(args: AdamArgs): void {
  const { parameter, gradient } = args;
  assertLikeParameter('adam', 'gradient', gradient, parameter);
  const fused = fusedKernel('adam');
  if (fused) fused(args);
  else adamReference(args);
}

export function adamReference(args: AdamArgs): void {
  const { parameter, gradient, moment1, moment2, learningRate, beta1, beta2, epsilon, weightDecay, step } = args;
  tf.tidy(() => {
    const m = tf.add(tf.mul(moment1, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(moment2, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const mHat = tf.div(m, 1 - beta1 ** step);
    const root = tf.sqrt(tf.div(v, 1 - beta2 ** step));
    const update = tf.add(tf.div(mHat, tf.add(root, epsilon)), tf.mul(parameter, weightDecay));
    moment1.assign(m);
    moment2.assign(v);
    parameter.assign(tf.sub(parameter, tf.mul(update, learningRate)));
  });
}
