import { adam as adamStep } from '@nimue/ops';
import type { OptimizerConfig, UpdateRule } from './optimizer.ts';

/** Adam with decoupled weight decay (AdamW): `adam` of `@nimue/ops` with two moments for every parameter. */
export function adam({ beta1, beta2, epsilon, weightDecay }: OptimizerConfig): UpdateRule {
  return {
    stateNames: ['moment1', 'moment2'],
    update: ({ state: { moment1, moment2 }, decays, ...rest }) =>
      adamStep({ ...rest, moment1, moment2, beta1, beta2, epsilon, weightDecay: decays ? weightDecay : 0 }),
  };
}
