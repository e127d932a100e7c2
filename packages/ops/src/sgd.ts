import * as tf from '@tensorflow/tfjs';
import { assertLikeParameter, assertMomentum } from './assert-args.ts';
import { fusedKernel, type SgdArgs } from './fused-kernels.ts';

/**
 * One step of gradient descent with momentum (Polyak 1964) in place, in PyTorch's form (`torch.optim.SGD`, no dampening):
 *
 * b ← μ b + g + λ p, p ← p − η b.
 *
 * With momentum μ = 0 there is no velocity b to keep: p ← p − η (g + λ p).
 *
 * Differs from the paper: the learning rate stands outside the velocity, so that a new rate counts at once.
 *
 * @throws when the gradient or the velocity has another shape than the parameter, momentum is outside [0, 1), or
 * momentum comes without a velocity
 */
export function sgd(args: SgdArgs): void {
  const { parameter, gradient, velocity, momentum } = args;
  assertLikeParameter('sgd', 'gradient', gradient, parameter);
  assertMomentum('sgd', momentum, velocity, parameter);
  const fused = fusedKernel('sgd');
  if (fused) fused(args);
  else sgdReference(args);
}

export function sgdReference(args: SgdArgs): void {
  const { parameter, gradient, velocity, learningRate, momentum, weightDecay } = args;
  tf.tidy(() => {
    const fresh = tf.add(gradient, tf.mul(parameter, weightDecay));
    const direction = momentum > 0 && velocity ? tf.add(tf.mul(velocity, momentum), fresh) : fresh;
    if (momentum > 0) velocity?.assign(direction);
    parameter.assign(tf.sub(parameter, tf.mul(direction, learningRate)));
  });
}
