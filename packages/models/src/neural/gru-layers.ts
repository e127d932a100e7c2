import { maxSessionLength } from '@nimue/batch';
import { type GruWeights, gatherRows, gru } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { ParameterStore } from '../parameter-store.ts';
import type { CarriedStates } from './carried-states.ts';
import { gruStep } from './gru-step.ts';
import type { SessionMemory } from './session-memory.ts';

/** Layers of gated recurrent units: `gru1.inputWeights` … */
export interface GruLayers {
  /**
   * @param after what becomes of the states of layer 1, 2, … before the next
   * @param carried where each session goes on from, which then has one event
   */
  apply(x: Tensor2D, offsets: Int32Array, after?: (states: Tensor2D) => Tensor2D, carried?: CarriedStates): Tensor2D;
  /** States of the newest events x [n, inputSize] of a session of which the states before are kept. Predicts only. */
  applyToNewest(x: Tensor2D, memory: SessionMemory): Tensor2D;
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
  const weightsOf = (name: string): GruWeights => ({
    inputWeights: parameters.matrix(`${name}.inputWeights`),
    recurrentWeights: parameters.matrix(`${name}.recurrentWeights`),
    inputBias: parameters.vector(`${name}.inputBias`),
    recurrentBias: parameters.vector(`${name}.recurrentBias`),
  });
  return {
    applyToNewest(x, memory) {
      let hidden = x;
      for (const name of names) {
        const before = memory.last(name);
        hidden = before
          ? stepByStep(hidden, before, weightsOf(name))
          : gru(hidden, Int32Array.of(0, x.shape[0]), weightsOf(name));
        memory.keepLast(name, hidden);
      }
      return hidden;
    },
    apply(x, offsets, after = (states) => states, carried) {
      if (carried && maxSessionLength(offsets) > 1) throw new Error('gru: sessions that carry a state have one event');
      let hidden = x;
      for (const [layer, name] of names.entries()) {
        const weights = weightsOf(name);
        const states = carried
          ? gruStep(hidden, carried.before(layer, offsets.length - 1, hiddenSize), weights)
          : gru(hidden, offsets, weights);
        carried?.after(layer, states);
        hidden = after(states);
      }
      return hidden;
    },
  };
}

/** States after each of the events x [n, I], from the state before them. */
function stepByStep(x: Tensor2D, before: Tensor2D, weights: GruWeights): Tensor2D {
  const states: Tensor2D[] = [];
  for (let n = 0; n < x.shape[0]; n++) {
    states.push(gruStep(gatherRows(x, Int32Array.of(n)), states[n - 1] ?? before, weights));
  }
  return tf.concat(states, 0);
}
