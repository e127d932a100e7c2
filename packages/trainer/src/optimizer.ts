import type { ParameterStore } from '@nimue/models';
import { adam } from '@nimue/ops';
import type { NamedTensorMap, Variable } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

export interface AdamConfig {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

interface Moments {
  first: Variable;
  second: Variable;
}

/**
 * Adam over a model's parameters, in place. Its moments follow parameters that grow with the items: old rows keep their
 * moments bit for bit, new rows start at 0.
 */
export class Adam {
  readonly #moments = new Map<string, Moments>();
  readonly #config: AdamConfig;
  #step = 0;

  constructor(config: AdamConfig) {
    this.#config = config;
  }

  /** Steps taken since the start or the last `restart`. */
  get step(): number {
    return this.#step;
  }

  /** Moves every parameter that has a gradient; gradients are named as the parameters are. */
  apply(parameters: ParameterStore, gradients: NamedTensorMap, learningRate: number): void {
    this.#step++;
    for (const [name, gradient] of Object.entries(gradients)) {
      const parameter = parameters.variable(name);
      const { first, second } = this.#momentsOf(name, parameter);
      adam({ ...this.#config, parameter, gradient, moment1: first, moment2: second, learningRate, step: this.#step });
    }
  }

  /** Forgets moments and step count: what "schedule restarted" means at the beginning of a window. */
  restart(): void {
    this.dispose();
    this.#step = 0;
  }

  dispose(): void {
    for (const { first, second } of this.#moments.values()) {
      first.dispose();
      second.dispose();
    }
    this.#moments.clear();
  }

  #momentsOf(name: string, parameter: Variable): Moments {
    const known = this.#moments.get(name);
    if (known && known.first.size === parameter.size) return known;
    const moments = { first: grown(known?.first, parameter), second: grown(known?.second, parameter) };
    known?.first.dispose();
    known?.second.dispose();
    this.#moments.set(name, moments);
    return moments;
  }
}

function grown(before: Variable | undefined, parameter: Variable): Variable {
  const values = new Float32Array(parameter.size);
  if (before) values.set(before.dataSync() as Float32Array);
  return tf.tidy(() => tf.variable(tf.tensor(values, parameter.shape), false));
}
