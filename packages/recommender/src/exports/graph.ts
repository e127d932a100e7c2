/**
 * A computation over padded sessions, written once and put into words of several formats (`toOnnx`, `toTfjs`).
 *
 * Shape letters: B sessions, L positions (padded at the end with id 0), D width, H heads, V items.
 */

/** `double` is float32 where a format has no wider type; `int` is int64 in ONNX and int32 in TensorFlow.js. */
export type Dtype = 'float' | 'double' | 'int' | 'int8' | 'bool';

/** A tensor of the graph. */
export interface Value {
  readonly name: string;
  readonly dtype: Dtype;
}

export type ConstantValues = Float32Array | Int32Array | Int8Array;

export interface Constant extends Value {
  readonly shape: readonly number[];
  readonly values: ConstantValues;
}

/** A size that is given, or the name of one that is free. */
export type Dimension = number | string;

export interface GraphInput extends Value {
  readonly shape: readonly Dimension[];
}

export interface GraphOutput extends GraphInput {
  /** The tensor whose value it is. */
  readonly from: string;
}

export type UnaryOp = 'sigmoid' | 'tanh' | 'exp' | 'log' | 'abs' | 'floor' | 'relu' | 'gelu';
export type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum';
export type ComparisonOp = 'less' | 'lessEqual' | 'equal';

/** What a node computes, with what is not a tensor. */
export type Operation =
  | { readonly op: UnaryOp | BinaryOp | ComparisonOp | 'softmax' }
  | { readonly op: 'cast'; readonly to: Dtype }
  /** `isFlat`: both are matrices. */
  | { readonly op: 'matMul'; readonly transposeB: boolean; readonly isFlat: boolean }
  | { readonly op: 'transpose'; readonly permutation: readonly number[] }
  | { readonly op: 'sum'; readonly axis: number }
  | { readonly op: 'gather' }
  | { readonly op: 'concat'; readonly axis: number }
  /** Places `from` … `to − 1` of an axis; to its end when `to` is not given. */
  | { readonly op: 'slice'; readonly axis: number; readonly rank: number; readonly from: number; readonly to?: number }
  | { readonly op: 'expand' | 'squeeze'; readonly axis: number }
  /** 0 … n − 1 with n the size of the axis [n] */
  | { readonly op: 'range'; readonly axis: number }
  | { readonly op: 'layerNorm'; readonly epsilon: number }
  | { readonly op: 'gru'; readonly width: number }
  | { readonly op: 'linearRecurrence'; readonly size: number }
  | { readonly op: 'topK'; readonly k: number };

export interface GraphNode {
  readonly operation: Operation;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** Weights of a layer of gated recurrent units, as `gru` of `@nimue/ops` has them. */
export interface GruConstants {
  readonly inputWeights: Constant;
  readonly recurrentWeights: Constant;
  readonly inputBias: Constant;
  readonly recurrentBias: Constant;
}

/** Collects the nodes of a computation; each method adds one and names what it gives. */
export class Graph {
  readonly inputs: GraphInput[] = [];
  readonly outputs: GraphOutput[] = [];
  readonly constants = new Map<string, Constant>();
  readonly nodes: GraphNode[] = [];
  #count = 0;

  input(name: string, dtype: Dtype, shape: readonly Dimension[]): Value {
    const input = { name, dtype, shape };
    this.inputs.push(input);
    return input;
  }

  output(name: string, value: Value, shape: readonly Dimension[]): void {
    this.outputs.push({ name, dtype: value.dtype, shape, from: value.name });
  }

  /** A tensor of numbers that are known; the one there is already when the name is taken. */
  constant(name: string, shape: readonly number[], values: ConstantValues, dtype?: Dtype): Constant {
    const known = this.constants.get(name);
    if (known) return known;
    const own = values instanceof Float32Array ? 'float' : values instanceof Int8Array ? 'int8' : 'int';
    const constant = { name, dtype: dtype ?? own, shape, values } as const;
    this.constants.set(name, constant);
    return constant;
  }

  /** One number, of the type of `like`. */
  number(value: number, { dtype }: Pick<Value, 'dtype'> = { dtype: 'float' }): Value {
    const values = dtype === 'int' ? Int32Array.of(value) : Float32Array.of(value);
    return this.constant(`number.${dtype}.${value}`, [], values, dtype);
  }

  unary(op: UnaryOp, x: Value): Value {
    return this.#add({ op }, [x], x.dtype);
  }

  binary(op: BinaryOp, a: Value, b: Value | number): Value {
    return this.#add({ op }, [a, typeof b === 'number' ? this.number(b, a) : b], a.dtype);
  }

  compare(op: ComparisonOp, a: Value, b: Value | number): Value {
    return this.#add({ op }, [a, typeof b === 'number' ? this.number(b, a) : b], 'bool');
  }

  add = (a: Value, b: Value | number): Value => this.binary('add', a, b);
  sub = (a: Value, b: Value | number): Value => this.binary('sub', a, b);
  mul = (a: Value, b: Value | number): Value => this.binary('mul', a, b);

  cast(x: Value, to: Dtype): Value {
    return x.dtype === to ? x : this.#add({ op: 'cast', to }, [x], to);
  }

  /** a · b over the last two axes, or a · bᵀ; the axes before them go together. */
  matMul(a: Value, b: Value, { transposeB = false, isFlat = false } = {}): Value {
    return this.#add({ op: 'matMul', transposeB, isFlat }, [a, b], a.dtype);
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    return this.#add({ op: 'transpose', permutation }, [x], x.dtype);
  }

  /** The axis goes away. */
  sum(x: Value, axis: number): Value {
    return this.#add({ op: 'sum', axis }, [x], x.dtype);
  }

  /** Over the last axis. */
  softmax(x: Value): Value {
    return this.#add({ op: 'softmax' }, [x], x.dtype);
  }

  /** Rows of x: [R, …] and indices [I…] give [I…, …]. */
  gather(x: Value, indices: Value): Value {
    return this.#add({ op: 'gather' }, [x, indices], x.dtype);
  }

  concat(values: readonly Value[], axis: number): Value {
    return values.length === 1 ? values[0] : this.#add({ op: 'concat', axis }, values, values[0].dtype);
  }

  slice(x: Value, part: { axis: number; rank: number; from: number; to?: number }): Value {
    return this.#add({ op: 'slice', ...part }, [x], x.dtype);
  }

  expand(x: Value, axis: number): Value {
    return this.#add({ op: 'expand', axis }, [x], x.dtype);
  }

  squeeze(x: Value, axis: number): Value {
    return this.#add({ op: 'squeeze', axis }, [x], x.dtype);
  }

  range(x: Value, axis: number): Value {
    return this.#add({ op: 'range', axis }, [x], 'int');
  }

  /** (x − mean) / √(variance + ε) · gamma + beta over the last axis. */
  layerNorm(x: Value, gamma: Value, beta: Value, epsilon: number): Value {
    return this.#add({ op: 'layerNorm', epsilon }, [x, gamma, beta], x.dtype);
  }

  /** States after every position [B, L, D] of x [B, L, I], from a state of 0. */
  gru(x: Value, { inputWeights, recurrentWeights, inputBias, recurrentBias }: GruConstants): Value {
    const width = recurrentWeights.shape[0];
    return this.#add({ op: 'gru', width }, [x, inputWeights, recurrentWeights, inputBias, recurrentBias], x.dtype);
  }

  /** hₜ = λ ∘ hₜ₋₁ + xₜ in complex numbers: x [B, L, 2 S], λ [2, S] → [B, L, 2 S]. */
  linearRecurrence(x: Value, decay: Constant): Value {
    return this.#add({ op: 'linearRecurrence', size: decay.shape[1] }, [x, decay], x.dtype);
  }

  /** The k largest of the last axis, largest first, and where they stand. */
  topK(x: Value, k: number): { readonly values: Value; readonly indices: Value } {
    const values = { name: this.#name('topK'), dtype: x.dtype };
    const indices = { name: this.#name('topK'), dtype: 'int' } as const;
    this.nodes.push({ operation: { op: 'topK', k }, inputs: [x], outputs: [values, indices] });
    return { values, indices };
  }

  #add(operation: Operation, inputs: readonly Value[], dtype: Dtype): Value {
    const output = { name: this.#name(operation.op), dtype };
    this.nodes.push({ operation, inputs, outputs: [output] });
    return output;
  }

  #name(op: string): string {
    return `${op}_${this.#count++}`;
  }
}
