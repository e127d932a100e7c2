import { sgd as sgdStep } from '@nimue/ops';
import type { OptimizerConfig, UpdateRule } from './optimizer.ts';

/** Gradient descent, with momentum when it is above 0: `sgd` of `@nimue/ops`. */
export function sgd({ momentum, weightDecay }: OptimizerConfig): UpdateRule {
  return {
    stateNames: momentum > 0 ? ['velocity'] : [],
    update: ({ decays, parameter, gradient, rows, state: { velocity }, learningRate }) =>
      sgdStep({ parameter, gradient, rows, velocity, learningRate, momentum, weightDecay: decays ? weightDecay : 0 }),
  };
}
