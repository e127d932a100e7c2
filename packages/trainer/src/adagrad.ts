import { adagrad as adagradStep } from '@nimue/ops';
import type { OptimizerConfig, UpdateRule } from './optimizer.ts';

/** Adagrad, with GRU4Rec's momentum when it is above 0: `adagrad` of `@nimue/ops`. */
export function adagrad({ epsilon, momentum, weightDecay }: OptimizerConfig): UpdateRule {
  return {
    stateNames: momentum > 0 ? ['accumulator', 'velocity'] : ['accumulator'],
    update: ({ decays, parameter, gradient, rows, state: { accumulator, velocity }, learningRate }) =>
      adagradStep({
        parameter,
        gradient,
        rows,
        accumulator,
        velocity,
        learningRate,
        epsilon,
        momentum,
        weightDecay: decays ? weightDecay : 0,
      }),
  };
}
