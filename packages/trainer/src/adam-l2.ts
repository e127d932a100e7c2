import { adam as adamStep } from '@nimue/ops';
import type { OptimizerConfig, UpdateRule } from './optimizer.ts';

/** Adam with the weight decay in the gradient: `adam` of `@nimue/ops` with its `l2`, PyTorch's `Adam(weight_decay=λ)`. */
export function adamL2({ beta1, beta2, epsilon, weightDecay }: OptimizerConfig): UpdateRule {
  return {
    stateNames: ['moment1', 'moment2'],
    update: ({ state: { moment1, moment2 }, decays, ...rest }) =>
      adamStep({ ...rest, moment1, moment2, beta1, beta2, epsilon, weightDecay: 0, l2: decays ? weightDecay : 0 }),
  };
}
