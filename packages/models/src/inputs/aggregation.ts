import type { Tensor2D } from '@tensorflow/tfjs';
import type { Layers } from '../neural/layers.ts';

/** How the vector of the item and those of its features become one of the item's width. */
export interface Aggregation {
  /** Whether every input must have the item's width. */
  readonly needsEqualWidths: boolean;
  /** @param sizes widths of the inputs, that of the item first */
  create(layers: Layers, sizes: readonly number[]): (inputs: readonly Tensor2D[]) => Tensor2D;
}
