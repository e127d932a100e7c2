import type { ParameterStore } from '@nimue/models';

/**
 * Exponential moving average of a model's weights (Polyak & Juditsky 1992; as PyTorch's `AveragedModel` keeps it): after
 * step t, ā ← β ā + (1 − β) w, and ā = w after the first. Rows that a table gains start as the weights have them.
 */
export class WeightAverage {
  readonly #decay: number;
  #average = new Map<string, Float32Array>();
  #own: Map<string, Float32Array> | undefined;

  /** @param decay β, how much of the average stays at each step */
  constructor(decay: number) {
    this.#decay = decay;
  }

  /** Takes in the weights after one more step. */
  update(parameters: ParameterStore): void {
    for (const name of parameters.names) {
      const values = parameters.variable(name).dataSync() as Float32Array;
      const known = this.#average.get(name);
      const average = grown(known, values);
      for (let i = 0; i < (known?.length ?? 0); i++) {
        average[i] = this.#decay * average[i] + (1 - this.#decay) * values[i];
      }
      this.#average.set(name, average);
    }
  }

  /** Gives the model the averaged weights until `swapOut`; nothing happens before the first step. */
  swapIn(parameters: ParameterStore): void {
    if (this.#average.size === 0 || this.#own) return;
    this.#own = parameters.read();
    parameters.write(new Map([...this.#own].map(([name, own]) => [name, grown(this.#average.get(name), own)])));
  }

  /** Gives the model its own weights back. */
  swapOut(parameters: ParameterStore): void {
    if (this.#own) parameters.write(this.#own);
    this.#own = undefined;
  }

  /** Values by name, copied. */
  read(): Map<string, Float32Array> {
    return new Map([...this.#average].map(([name, values]) => [name, values.slice()]));
  }

  write(values: ReadonlyMap<string, Float32Array>): void {
    this.#average = new Map([...values].map(([name, own]) => [name, own.slice()]));
  }

  restart(): void {
    this.#average.clear();
  }
}

/** The average, and the values themselves where it does not reach. */
function grown(average: Float32Array | undefined, values: Float32Array): Float32Array {
  if (average?.length === values.length) return average;
  const longer = values.slice();
  if (average) longer.set(average);
  return longer;
}
