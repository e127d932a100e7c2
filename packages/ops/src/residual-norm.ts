import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { assertDropout, assertShape } from './assert-args.ts';
import { dropoutReference } from './dropout.ts';
import { type Dropout, fusedKernel, NO_DROPOUT, type NormKind, type ResidualNormArgs } from './fused-kernels.ts';
import { withGradient } from './with-gradient.ts';

export interface ResidualNormOptions {
  readonly residual?: Tensor2D;
  readonly beta?: Tensor1D;
  /** `layer`: (s − mean) / √(var + ε) (Ba et al. 2016); `rms`: s / √(mean(s²) + ε) (Zhang & Sennrich 2019). */
  readonly kind?: NormKind;
  readonly epsilon?: number;
  readonly dropout?: Dropout;
}

/**
 * y = norm(residual + dropout(x)) · gamma + beta, the step between two blocks of a transformer.
 *
 * @param x [T, D]
 * @param gamma [D]
 * @returns [T, D]
 */
export function residualNorm(x: Tensor2D, gamma: Tensor1D, options: ResidualNormOptions = {}): Tensor2D {
  const { residual, beta, kind = 'layer', epsilon = 1e-8, dropout = NO_DROPOUT } = options;
  assertShape('residualNorm', 'x', x, [-1, -1]);
  assertShape('residualNorm', 'gamma', gamma, [x.shape[1]]);
  if (beta) assertShape('residualNorm', 'beta', beta, [x.shape[1]]);
  if (residual) assertShape('residualNorm', 'residual', residual, x.shape);
  assertDropout('residualNorm', dropout);
  const forward = fusedKernel('residualNorm');
  const backward = fusedKernel('residualNormGradient');
  if (!forward || !backward) return residualNormReference({ x, residual, gamma, beta, kind, epsilon, dropout });
  const rest = { kind, epsilon, dropout };
  return withGradient(
    [x, gamma, beta, residual],
    ([x, gamma, beta, residual]) => {
      const { y, rowStats } = forward({ x, residual, gamma, beta, ...rest });
      return { value: y, saved: [rowStats] };
    },
    (dy, [x, gamma, beta, residual], [rowStats]) => {
      const g = backward({ x, residual, gamma, beta, ...rest, dy, rowStats: rowStats as Tensor2D });
      return [g.x, g.gamma, g.beta, g.residual];
    },
  );
}

export function residualNormReference(args: ResidualNormArgs): Tensor2D {
  const { x, residual, gamma, beta, kind, epsilon, dropout } = args;
  return tf.tidy(() => {
    const dropped = dropoutReference(x, dropout);
    const s = residual ? tf.add(residual, dropped) : dropped;
    const centred = kind === 'layer' ? tf.sub(s, tf.mean(s, 1, true)) : s;
    const inverse = tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), epsilon));
    const y = tf.mul(tf.mul(centred, inverse), gamma);
    return (beta ? tf.add(y, beta) : y) as Tensor2D;
  });
}

/**
 * y = residual + dropout(x): the residual stream of a pre-norm block.
 *
 * @param x [T, D]
 * @param residual [T, D]
 * @returns [T, D]
 */
export function residualAdd(x: Tensor2D, residual: Tensor2D, dropout: Dropout = NO_DROPOUT): Tensor2D {
  assertShape('residualAdd', 'x', x, [-1, -1]);
  assertShape('residualAdd', 'residual', residual, x.shape);
  assertDropout('residualAdd', dropout);
  const fused = fusedKernel('residualAdd');
  const drop = fusedKernel('dropout');
  if (!fused || !drop) return tf.tidy(() => tf.add(residual, dropoutReference(x, dropout)));
  return withGradient(
    [x, residual],
    ([x, residual]) => ({ value: fused({ x, residual, dropout }) }),
    (dy) => [dropout.rate === 0 ? dy.clone() : drop({ x: dy, dropout }), dy.clone()],
  );
}
