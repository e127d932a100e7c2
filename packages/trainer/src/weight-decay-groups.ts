import type { ParameterStore } from '@nimue/models';

/**
 * Which parameters weight decay draws to 0. `all`: every one. `matrices`: those of two or more axes, so no biases and no
 * scales of norms. `hiddenMatrices`: of these, none that is looked up by item, category or position.
 */
export const WEIGHT_DECAY_GROUPS = ['all', 'matrices', 'hiddenMatrices'] as const;
export type WeightDecayGroup = (typeof WEIGHT_DECAY_GROUPS)[number];

/** Tables that do not grow with the items: positions, categories. */
const LOOKED_UP = /(^|\.)(positions|table)$/;

/** Whether weight decay reaches a parameter. */
export function decays(
  group: WeightDecayGroup,
  name: string,
  parameters: Pick<ParameterStore, 'variable' | 'growsWithItems'>,
): boolean {
  if (group === 'all') return true;
  if (parameters.variable(name).rank < 2) return false;
  return group === 'matrices' || !(parameters.growsWithItems(name) || LOOKED_UP.test(name));
}
