import * as tf from '@tensorflow/tfjs';
import { assertLikeParameter, assertMomentum } from './assert-args.ts';
import { type AdagradArgs, fusedKernel } from './fused-kernels.ts';
import { assertGradient, moveTo, movingPart } from './moved-rows.ts';

/**
 * One step of Adagrad (Duchi et al. 2011, diagonal form) in place, with the momentum that GRU4Rec adds to it (Hidasi et
 * al. 2016, the authors' code):
 *
 * a ← a + g², b ← μ b + η ( g / √(a + ε) + λ p ), p ← p − b.
 *
 * With momentum μ = 0 there is no velocity b to keep: p ← p − η ( g / √(a + ε) + λ p ).
 *
 * With `rows`, the gradient holds those rows alone, and only they move, in the parameter and in its state. Without momentum
 * and weight decay that is the dense step with zeros in the other rows.
 *
 * Differs from the paper: ε stands inside the root, as in GRU4Rec, whose value is 1e-6.
 *
 * @throws when the gradient or a state has another shape than the parameter, ε is not positive, momentum is outside
 * [0, 1), or momentum comes without a velocity
 */
export function adagrad(args: AdagradArgs): void {
  const { parameter, gradient, accumulator, velocity, momentum, epsilon, rows } = args;
  assertGradient('adagrad', gradient, parameter, rows);
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
  const { parameter, gradient, accumulator, velocity, learningRate, epsilon, momentum, weightDecay, rows } = args;
  tf.tidy(() => {
    const p = movingPart(parameter, rows);
    const sum = tf.add(movingPart(accumulator, rows), tf.square(gradient));
    const scaled = tf.div(gradient, tf.sqrt(tf.add(sum, epsilon)));
    const fresh = tf.mul(tf.add(scaled, tf.mul(p, weightDecay)), learningRate);
    const update = momentum > 0 && velocity ? tf.add(tf.mul(movingPart(velocity, rows), momentum), fresh) : fresh;
    moveTo(accumulator, rows, sum);
    if (momentum > 0 && velocity) moveTo(velocity, rows, update);
    moveTo(parameter, rows, tf.sub(p, update));
  });
}
