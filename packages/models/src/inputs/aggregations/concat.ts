import { residualAdd } from '@nimue/ops';
import type { Aggregation } from '../aggregation.ts';

/**
 * The inputs side by side, projected to the item's width: [x₁ … x_F] W + b, computed as Σ x_f W_f + b with W cut into
 * `inputs.concat1`, `inputs.concat2` …
 */
export const concat: Aggregation = {
  needsEqualWidths: false,
  create(layers, sizes) {
    const [width] = sizes;
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const initializer = { kind: 'normal', standardDeviation: Math.sqrt(2 / (total + width)) } as const;
    sizes.forEach((size, f) => {
      layers.addLinear(`inputs.concat${f + 1}`, size, width, { initializer, bias: f === 0 });
    });
    return (inputs) =>
      inputs
        .map((x, f) => layers.linear(`inputs.concat${f + 1}`, x))
        .reduce((joined, part) => residualAdd(part, joined));
  },
};
