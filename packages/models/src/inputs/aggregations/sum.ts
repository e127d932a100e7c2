import { residualAdd } from '@nimue/ops';
import type { Aggregation } from '../aggregation.ts';

/** Σ x_f, the item's vector included. */
export const sum: Aggregation = {
  needsEqualWidths: true,
  create: () => (inputs) => inputs.reduce((joined, x) => residualAdd(x, joined)),
};
