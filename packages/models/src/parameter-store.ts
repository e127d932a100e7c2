import { FIRST_ITEM_ID } from '@nimue/batch';
import { deriveSeed, mix32 } from '@nimue/ops';
import type { Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { fillGaussian } from './gaussian.ts';
import { fillNewItems, type NewItems } from './new-items.ts';

/** How a parameter starts. */
export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'constant'; readonly value: number }
  /** ln(−ln r) with r² uniform between the squares: |λ| = r of a linear recurrent unit (Orvieto et al. 2023, lemma 3.2). */
  | { readonly kind: 'ringRadius'; readonly smallest: number; readonly largest: number }
  /** ln φ with φ uniform in (0, 2 π): the angle of λ. */
  | { readonly kind: 'ringAngle' }
  /** Normal with the given standard deviation. */
  | { readonly kind: 'normal'; readonly standardDeviation: number }
  /** Normal with variance 2 / (fan in + fan out) (Glorot & Bengio 2010, eq. 16). */
  | { readonly kind: 'glorot' };

interface Parameter {
  variable: Variable;
  readonly initializer: Initializer;
  readonly seed: number;
  readonly growsWithItems: boolean;
}

/**
 * The named weights of a model. Names are unique within the model and say the layer: `block1.query.weights`. Rows of a
 * parameter that grows with the items belong to item ids; those of reserved ids are 0 and stay so.
 */
export class ParameterStore {
  readonly #parameters = new Map<string, Parameter>();
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds a weight. `growsWithItems`: its first axis is the item id. @throws when the name is taken */
  add(name: string, shape: readonly number[], initializer: Initializer, growsWithItems = false): void {
    if (this.#parameters.has(name)) throw new Error(`ParameterStore: '${name}' exists already`);
    const seed = deriveSeed(this.#seed, this.#parameters.size);
    const values = initialValues(shape, initializer, seed, growsWithItems);
    // `tf.variable` numbers a variable itself; our names need not be unique among models.
    const variable = tf.tidy(() => tf.variable(tf.tensor(values, [...shape]), true));
    this.#parameters.set(name, { variable, initializer, seed, growsWithItems });
  }

  matrix(name: string): Tensor2D {
    return this.#get(name).variable as unknown as Tensor2D;
  }

  vector(name: string): Tensor1D {
    return this.#get(name).variable as unknown as Tensor1D;
  }

  variable(name: string): Variable {
    return this.#get(name).variable;
  }

  growsWithItems(name: string): boolean {
    return this.#get(name).growsWithItems;
  }

  get names(): readonly string[] {
    return [...this.#parameters.keys()];
  }

  /** Number of weights. */
  get numWeights(): number {
    let sum = 0;
    for (const { variable } of this.#parameters.values()) sum += variable.size;
    return sum;
  }

  /**
   * Gives every parameter that grows with the items its new number of rows. Old rows keep their values bit for bit; new
   * rows start as `newItems` says. @throws when the table would shrink, or numRows is not a whole number
   */
  resizeItems(numRows: number, newItems: NewItems = { kind: 'random' }): void {
    if (!Number.isInteger(numRows)) throw new Error(`resizeItems: numRows must be a whole number, got ${numRows}`);
    for (const name of this.names) if (this.growsWithItems(name)) this.#resize(name, numRows, newItems);
  }

  #resize(name: string, numRows: number, newItems: NewItems): void {
    const parameter = this.#get(name);
    const before = parameter.variable;
    if (numRows < before.shape[0]) {
      throw new Error(`ParameterStore: '${name}' has ${before.shape[0]} rows and cannot shrink to ${numRows}`);
    }
    if (numRows === before.shape[0]) return;
    const shape = [numRows, ...before.shape.slice(1)];
    const values = initialValues(shape, parameter.initializer, parameter.seed, parameter.growsWithItems);
    values.set(before.dataSync() as Float32Array);
    fillNewItems(values, values.length / numRows, before.shape[0], newItems);
    parameter.variable = tf.tidy(() => tf.variable(tf.tensor(values, shape), true));
    before.dispose();
  }

  /**
   * Gives a parameter more rows; old rows keep their values bit for bit, new ones start as they would have at the beginning.
   *
   * @throws when it would shrink
   */
  resizeRows(name: string, numRows: number): void {
    this.#resize(name, numRows, { kind: 'random' });
  }

  /** Values by name, copied. */
  read(): Map<string, Float32Array> {
    return new Map(this.names.map((name) => [name, (this.variable(name).dataSync() as Float32Array).slice()]));
  }

  /** @throws when a name is missing or a length differs: nothing is written then. */
  write(values: ReadonlyMap<string, Float32Array>): void {
    for (const name of this.names) {
      const given = values.get(name);
      const size = this.variable(name).size;
      if (given?.length !== size) {
        throw new Error(`ParameterStore: '${name}' needs ${size} values, got ${given ? given.length : 'none'}`);
      }
    }
    for (const name of this.names) {
      const variable = this.variable(name);
      tf.tidy(() => variable.assign(tf.tensor(values.get(name) as Float32Array, variable.shape)));
    }
  }

  dispose(): void {
    for (const { variable } of this.#parameters.values()) variable.dispose();
    this.#parameters.clear();
  }

  #get(name: string): Parameter {
    const parameter = this.#parameters.get(name);
    if (!parameter) throw new Error(`ParameterStore: no parameter '${name}'; there are ${this.names.join(', ')}`);
    return parameter;
  }
}

function initialValues(
  shape: readonly number[],
  initializer: Initializer,
  seed: number,
  isItems: boolean,
): Float32Array {
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1));
  if (initializer.kind === 'ones') values.fill(1);
  if (initializer.kind === 'constant') values.fill(initializer.value);
  if (initializer.kind === 'ringRadius') {
    const [low, high] = [initializer.smallest ** 2, initializer.largest ** 2];
    fillUniform(values, seed, (u) => Math.log(-0.5 * Math.log(u * (high - low) + low)));
  }
  if (initializer.kind === 'ringAngle') fillUniform(values, seed, (u) => Math.log(2 * Math.PI * u));
  if (initializer.kind === 'normal') fillGaussian(values, seed, initializer.standardDeviation);
  if (initializer.kind === 'glorot') fillGaussian(values, seed, Math.sqrt(2 / (shape[0] + shape[1])));
  if (isItems) values.fill(0, 0, Math.min(values.length, FIRST_ITEM_ID * (values.length / Math.max(1, shape[0]))));
  return values;
}

/** Each value from a uniform number in (0, 1), a function of (seed, index). */
function fillUniform(values: Float32Array, seed: number, of: (uniform: number) => number): void {
  for (let i = 0; i < values.length; i++) values[i] = of((mix32(seed ^ mix32(i)) + 0.5) / 4294967296);
}
