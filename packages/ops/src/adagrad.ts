import * as tf from '@tensorflow/tfjs';
import { assertLikeParameter, assertMomentum } from './assert-args.ts';
import { type AdagradArgs, fusedKernel } from './fused-kernels.ts';

/**
 * One step of Adagrad (Duchi et al. 2011, diagonal form) in place, with the momentum that GRU4Rec adds to it (Hidasi et
 * al. 2016, the authors' code):
 *
 * a ← a + g², b ← μ b + η ( g / √(a + ε) + λ p ), p ← p − b.
 *
 * With momentum μ = 0 there is no velocity b to keep: p ← p − η ( g / √(a + ε) + λ p ).
 *
 * Differs from the paper: ε stands inside the root, as in GRU4Rec, whose value is 1e-6.
 *
 * @throws when the gradient or a state has another shape than the parameter, ε is not positive, momentum is outside
 * [0, 1), or momentum comes without a velocity
 */
export function adagrad(args: AdagradArgs): void {
  const { parameter, gradient, accumulator, velocity, momentum, epsilon } = args;
  assertLikeParameter('adagrad', 'gradient', gradient, parameter);
  assertLikeParameter('adagrad', 'accumulator', accumulator, parameter);
  assertMomentum('adagrad', momentum, velocity, parameter);
  if (!(epsilon > 0)) {
    throw new Error(`adagrad: epsilon must be > 0, got ${epsilon}; with 0 a gradient that was never there is 0 / 0`);
  }
  const fused = fusedKernel('adagrad');
  if (fused) fused(args);
  else adagradReference(args);
}

export function adagradReference(args: AdagradArgs): void {
  const { parameter, gradient, accumulator, velocity, learningRate, epsilon, momentum, weightDecay } = args;
  tf.tidy(() => {
    const sum = tf.add(accumulator, tf.square(gradient));
    const scaled = tf.div(gradient, tf.sqrt(tf.add(sum, epsilon)));
    const fresh = tf.mul(tf.add(scaled, tf.mul(parameter, weightDecay)), learningRate);
    const update = momentum > 0 && velocity ? tf.add(tf.mul(velocity, momentum), fresh) : fresh;
    accumulator.assign(sum);
    if (momentum > 0) velocity?.assign(update);
    parameter.assign(tf.sub(parameter, update));
  });
}
