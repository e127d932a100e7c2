import type { Value } from '../graph.ts';
import type { ModelParts } from './model-parts.ts';

/** Layers of gated recurrent units over x [B, L, I]. */
export function gruLayers({ g, weight }: ModelParts, x: Value, numLayers: number): Value {
  let hidden = x;
  for (let i = 1; i <= numLayers; i++) {
    hidden = g.gru(hidden, {
      inputWeights: weight(`gru${i}.inputWeights`),
      recurrentWeights: weight(`gru${i}.recurrentWeights`),
      inputBias: weight(`gru${i}.inputBias`),
      recurrentBias: weight(`gru${i}.recurrentBias`),
    });
  }
  return hidden;
}
