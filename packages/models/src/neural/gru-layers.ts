import { gru } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import type { ParameterStore } from '../parameter-store.ts';

/** Layers of gated recurrent units: `gru1.inputWeights` … */
export interface GruLayers {
  /** @param after what becomes of the states of layer 1, 2, … before the next */
  apply(x: Tensor2D, offsets: Int32Array, after?: (states: Tensor2D) => Tensor2D): Tensor2D;
}

export function addGruLayers(
  parameters: ParameterStore,
  { inputSize, hiddenSize, numLayers }: { inputSize: number; hiddenSize: number; numLayers: number },
): GruLayers {
  const names = Array.from({ length: numLayers }, (_, i) => `gru${i + 1}`);
  names.forEach((name, i) => {
    parameters.add(`${name}.inputWeights`, [i === 0 ? inputSize : hiddenSize, 3 * hiddenSize], { kind: 'glorot' });
    parameters.add(`${name}.recurrentWeights`, [hiddenSize, 3 * hiddenSize], { kind: 'glorot' });
    parameters.add(`${name}.inputBias`, [3 * hiddenSize], { kind: 'zeros' });
    parameters.add(`${name}.recurrentBias`, [3 * hiddenSize], { kind: 'zeros' });
  });
  return {
    apply(x, offsets, after = (states) => states) {
      let hidden = x;
      for (const name of names) {
        const states = gru(hidden, offsets, {
          inputWeights: parameters.matrix(`${name}.inputWeights`),
          recurrentWeights: parameters.matrix(`${name}.recurrentWeights`),
          inputBias: parameters.vector(`${name}.inputBias`),
          recurrentBias: parameters.vector(`${name}.recurrentBias`),
        });
        hidden = after(states);
      }
      return hidden;
    },
  };
}
