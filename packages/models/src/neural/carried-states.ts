import type { Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/**
 * States that a recurrent model hands from one step of session-parallel training to the next, lane by lane. They are
 * numbers: no gradient passes from a step to the one before.
 *
 * Hidasi et al. 2016, "Session-based Recommendations with Recurrent Neural Networks", section 3.1.1.
 */
export class CarriedStates {
  /** By lane, then by layer. */
  readonly #states = new Map<number, Float32Array[]>();
  #lanes: readonly number[] = [];

  /**
   * Says which lane each session of the next batch is.
   *
   * @param resets 1 where the lane begins a session: its state is 0 again
   */
  begin(lanes: ArrayLike<number>, resets: ArrayLike<number>): void {
    this.#lanes = Array.from(lanes);
    for (const lane of this.#states.keys()) if (!this.#lanes.includes(lane)) this.#states.delete(lane);
    this.#lanes.forEach((lane, l) => {
      if (resets[l]) this.#states.delete(lane);
    });
  }

  /** States of the lanes before the step [L, width]. @throws when the batch has another number of sessions */
  before(layer: number, numSessions: number, width: number): Tensor2D {
    if (this.#lanes.length !== numSessions) {
      throw new Error(`CarriedStates: the batch has ${numSessions} sessions for ${this.#lanes.length} lanes`);
    }
    const values = new Float32Array(numSessions * width);
    this.#lanes.forEach((lane, l) => {
      const state = this.#states.get(lane)?.[layer];
      if (state) values.set(state, l * width);
    });
    return tf.tensor2d(values, [numSessions, width]);
  }

  /** Keeps the states after the step [L, width]. */
  after(layer: number, states: Tensor2D): void {
    const width = states.shape[1];
    const values = states.dataSync() as Float32Array;
    this.#lanes.forEach((lane, l) => {
      const layers = this.#states.get(lane) ?? [];
      layers[layer] = values.slice(l * width, (l + 1) * width);
      this.#states.set(lane, layers);
    });
  }

  /** The states by `lane/layer`, copied, for a checkpoint. */
  read(): Map<string, Float32Array> {
    const states = [...this.#states].flatMap(([lane, layers]) =>
      layers.map((state, layer) => [`${lane}/${layer}`, state.slice()] as const),
    );
    return new Map(states);
  }

  /** Goes on from what `read` gave. */
  write(states: ReadonlyMap<string, Float32Array>): void {
    this.#states.clear();
    for (const [key, state] of states) {
      const [lane, layer] = key.split('/').map(Number);
      const layers = this.#states.get(lane) ?? [];
      layers[layer] = state.slice();
      this.#states.set(lane, layers);
    }
  }
}
