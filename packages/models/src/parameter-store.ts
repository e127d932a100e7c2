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

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Shapes of the weights that are about to be written, by name; undefined: starting values are drawn. */
let aboutToBeWritten: Shapes | undefined;

/**
 * Makes a model whose weights are about to be written.
 *
 * @param shapes of those weights, for what cannot be known from the model's options (`ParameterStore.storedShape`)
 */
export function withoutStartingValues<Model>(create: () => Model, shapes: Shapes = new Map()): Model {
  const before = aboutToBeWritten;
  aboutToBeWritten = shapes;
  try {
    return create();
  } finally {
    aboutToBeWritten = before;
  }
}

interface Parameter {
  /** Made when it is first asked for. */
  variable: Variable | undefined;
  shape: readonly number[];
  readonly initializer: Initializer;
  readonly seed: number;
  readonly growsWithItems: boolean;
}

/**
 * The named weights of a model. Names are unique within the model and say the layer: `block1.query.weights`. Rows of a
 * parameter that grows with the items belong to item ids; those of reserved ids are 0 and stay so.
 *
 * Within `withoutStartingValues` a weight is made when it is first asked for or written: of a model that is read from a file no
 * starting value is drawn.
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
    this.#parameters.set(name, { variable: undefined, shape: [...shape], initializer, seed, growsWithItems });
    if (!aboutToBeWritten) this.variable(name);
  }

  matrix(name: string): Tensor2D {
    return this.variable(name) as unknown as Tensor2D;
  }

  vector(name: string): Tensor1D {
    return this.variable(name) as unknown as Tensor1D;
  }

  variable(name: string): Variable {
    const parameter = this.#get(name);
    const { shape, initializer, seed, growsWithItems } = parameter;
    parameter.variable ??= createVariable(initialValues(shape, initializer, seed, growsWithItems), shape);
    return parameter.variable;
  }

  /** Its first axis is the item id where it `growsWithItems`. */
  shape(name: string): readonly number[] {
    return this.#get(name).shape;
  }

  /**
   * Shape of a weight that is about to be written, undefined of a model that is made anew: a width may have been chosen by how many
   * categories there were when the model was first made.
   */
  storedShape(name: string): readonly number[] | undefined {
    return aboutToBeWritten?.get(name);
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
    for (const { shape } of this.#parameters.values()) sum += sizeOf(shape);
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
    const [numBefore, ...rest] = parameter.shape;
    if (numRows < numBefore) {
      throw new Error(`ParameterStore: '${name}' has ${numBefore} rows and cannot shrink to ${numRows}`);
    }
    if (numRows === numBefore) return;
    const before = this.variable(name);
    const shape = [numRows, ...rest];
    const { initializer, seed, growsWithItems } = parameter;
    const values = initialValues(shape, initializer, seed, growsWithItems, before.size);
    values.set(before.dataSync() as Float32Array);
    fillNewItems(values, values.length / numRows, numBefore, newItems);
    parameter.variable = createVariable(values, shape);
    parameter.shape = shape;
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

  /** Copies. @throws when a name is missing or a length differs: nothing is written then. */
  write(values: ReadonlyMap<string, Float32Array>): void {
    for (const name of this.names) {
      const given = values.get(name);
      const size = sizeOf(this.shape(name));
      if (given?.length !== size) {
        throw new Error(`ParameterStore: '${name}' needs ${size} values, got ${given ? given.length : 'none'}`);
      }
    }
    for (const [name, parameter] of this.#parameters) {
      const { variable, shape } = parameter;
      const own = (values.get(name) as Float32Array).slice();
      if (variable) tf.tidy(() => variable.assign(tf.tensor(own, variable.shape)));
      else parameter.variable = createVariable(own, shape);
    }
  }

  dispose(): void {
    for (const { variable } of this.#parameters.values()) variable?.dispose();
    this.#parameters.clear();
  }

  #get(name: string): Parameter {
    const parameter = this.#parameters.get(name);
    if (!parameter) throw new Error(`ParameterStore: no parameter '${name}'; there are ${this.names.join(', ')}`);
    return parameter;
  }
}

/** `tf.variable` numbers a variable itself; our names need not be unique among models. */
function createVariable(values: Float32Array, shape: readonly number[]): Variable {
  return tf.tidy(() => tf.variable(tf.tensor(values, [...shape]), true));
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** @param numKept so many values at the beginning will be put in afterwards, and are not drawn */
function initialValues(
  shape: readonly number[],
  initializer: Initializer,
  seed: number,
  isItems: boolean,
  numKept = 0,
): Float32Array {
  const all = new Float32Array(sizeOf(shape));
  const values = all.subarray(numKept);
  if (initializer.kind === 'ones') values.fill(1);
  if (initializer.kind === 'constant') values.fill(initializer.value);
  if (initializer.kind === 'ringRadius') {
    const [low, high] = [initializer.smallest ** 2, initializer.largest ** 2];
    fillUniform(values, seed, numKept, (u) => Math.log(-0.5 * Math.log(u * (high - low) + low)));
  }
  if (initializer.kind === 'ringAngle') fillUniform(values, seed, numKept, (u) => Math.log(2 * Math.PI * u));
  if (initializer.kind === 'normal') fillGaussian(values, seed, initializer.standardDeviation, numKept);
  if (initializer.kind === 'glorot') fillGaussian(values, seed, Math.sqrt(2 / (shape[0] + shape[1])), numKept);
  if (isItems) all.fill(0, 0, Math.min(all.length, FIRST_ITEM_ID * (all.length / Math.max(1, shape[0]))));
  return all;
}

/** Each value from a uniform number in (0, 1), a function of (seed, index); those of `firstIndex` on. */
function fillUniform(values: Float32Array, seed: number, firstIndex: number, of: (uniform: number) => number): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = of((mix32(seed ^ mix32(firstIndex + i)) + 0.5) / 4294967296);
  }
}
