import * as tf from '@tensorflow/tfjs';
import { assertMomentum } from './assert-args.ts';
import { fusedKernel, type SgdArgs } from './fused-kernels.ts';
import { assertGradient, moveTo, movingPart } from './moved-rows.ts';

/**
 * One step of gradient descent with momentum (Polyak 1964) in place, in PyTorch's form (`torch.optim.SGD`, no dampening):
 *
 * b ← μ b + g + λ p, p ← p − η b.
 *
 * With momentum μ = 0 there is no velocity b to keep: p ← p − η (g + λ p).
 *
 * With `rows`, the gradient holds those rows alone, and only they move, in the parameter and in its velocity. Without
 * momentum and weight decay that is the dense step with zeros in the other rows.
 *
 * Differs from the paper: the learning rate stands outside the velocity, so that a new rate counts at once.
 *
 * @throws when the gradient or the velocity has another shape than the parameter, momentum is outside [0, 1), or
 * momentum comes without a velocity
 */
export function sgd(args: SgdArgs): void {
  const { parameter, gradient, velocity, momentum, rows } = args;
  assertGradient('sgd', gradient, parameter, rows);
  assertMomentum('sgd', momentum, velocity, parameter);
  const fused = fusedKernel('sgd');
  if (fused) fused(args);
  else sgdReference(args);
}

export function sgdReference(args: SgdArgs): void {
  const { parameter, gradient, velocity, learningRate, momentum, weightDecay, rows } = args;
  tf.tidy(() => {
    const p = movingPart(parameter, rows);
    const fresh = tf.add(gradient, tf.mul(p, weightDecay));
    const direction = momentum > 0 && velocity ? tf.add(tf.mul(movingPart(velocity, rows), momentum), fresh) : fresh;
    if (momentum > 0 && velocity) moveTo(velocity, rows, direction);
    moveTo(parameter, rows, tf.sub(p, tf.mul(direction, learningRate)));
  });
}
