import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** Which elements a dropout keeps: a pure function of (seed, row, column), see `keep-mask.ts`. */
export interface Dropout {
  /** Share of the elements that become 0, in [0, 1). */
  readonly rate: number;
  /** 32-bit seed; every (step, layer) pair has its own. */
  readonly seed: number;
}

export const NO_DROPOUT: Dropout = { rate: 0, seed: 0 };

export type Activation = 'none' | 'relu' | 'gelu' | 'silu' | 'tanh' | 'sigmoid';
/** `bfloat16` rounds the operands of matrix products to 8 significant bits where the processor multiplies those faster. */
export type ProductPrecision = 'float32' | 'bfloat16';
export type NormKind = 'layer' | 'rms';
/** How a score becomes the weight of a value: a softmax over the keys, or silu(score) / session length. */
export type AttentionKind = 'softmax' | 'silu';

/** Item ids that do not take part in row n: `itemIds[offsets[n]] … itemIds[offsets[n + 1] - 1]`. */
export interface ExcludedItems {
  readonly offsets: Int32Array;
  readonly itemIds: Int32Array;
}

/**
 * Fused implementations that a backend may offer. Every member is optional: an op whose kernel is missing runs its plain
 * TensorFlow.js reference. A kernel gets checked arguments (shapes, dtypes and index ranges are right) and returns
 * tensors that the caller owns. A `…Gradient` kernel returns one gradient per differentiable input.
 */
export interface FusedKernels {
  /** y[n] = x[rows[n]] → [N, D]. */
  gatherRows?(args: { x: Tensor2D; rows: Int32Array }): Tensor2D;
  /** y[r] = Σ dy[n] over rows[n] = r → [numRows, D]. */
  scatterRows?(args: { dy: Tensor2D; rows: Int32Array; numRows: number }): Tensor2D;
  /** y[t] = dropout(scale · table[itemIds[t]] + positionTable[positions[t]]) → [T, D]. */
  embed?(args: EmbedArgs): Tensor2D;
  embedGradient?(args: EmbedArgs & { dy: Tensor2D }): { table: Tensor2D; positionTable?: Tensor2D };
  /** y = dropout(x) → like x. Its gradient is itself, applied to dy. */
  dropout?(args: { x: Tensor2D; dropout: Dropout }): Tensor2D;
  /** y = activation(x · weights + bias) → [N, O]. `preActivation` is present when `saveForGradient` and the activation needs it. */
  linear?(args: LinearArgs & { saveForGradient: boolean }): { y: Tensor2D; preActivation?: Tensor2D };
  linearGradient?(args: LinearArgs & { dy: Tensor2D; y: Tensor2D; preActivation?: Tensor2D }): {
    x: Tensor2D;
    weights: Tensor2D;
    bias?: Tensor1D;
  };
  /** y = norm(residual + dropout(x)) · gamma + beta → [T, D]; `rowStats` [T, 2] holds mean and 1/std for the gradient. */
  residualNorm?(args: ResidualNormArgs): { y: Tensor2D; rowStats: Tensor2D };
  residualNormGradient?(args: ResidualNormArgs & { dy: Tensor2D; rowStats: Tensor2D }): {
    x: Tensor2D;
    residual?: Tensor2D;
    gamma: Tensor1D;
    beta?: Tensor1D;
  };
  /** y = residual + dropout(x) → [T, D]; gradients: dy for the residual, dropout(dy) for x. */
  residualAdd?(args: { x: Tensor2D; residual: Tensor2D; dropout: Dropout }): Tensor2D;
  /**
   * Attention within each session → y [T, D] and the log-sum-exp [T, H] that the gradient needs (any value for `silu`).
   * A row that sees no key is 0, and so are its gradients; the gradients of `relativeBias`, `relative` and
   * the table of `pairBias` are there when those are.
   */
  jaggedAttention?(args: JaggedAttentionArgs): { y: Tensor2D; logSumExp: Tensor2D };
  jaggedAttentionGradient?(args: JaggedAttentionArgs & { dy: Tensor2D; y: Tensor2D; logSumExp: Tensor2D }): {
    query: Tensor2D;
    key: Tensor2D;
    value: Tensor2D;
    relativeBias?: Tensor2D;
    relative?: RelativeScores;
    pairTable?: Tensor2D;
  };
  /** One GRU layer over time → hidden states y [T, D]; `saved` is whatever the gradient needs. */
  gru?(args: GruArgs): { y: Tensor2D; saved: Tensor2D };
  gruGradient?(args: GruArgs & { dy: Tensor2D; y: Tensor2D; saved: Tensor2D }): {
    x: Tensor2D;
    inputWeights: Tensor2D;
    recurrentWeights: Tensor2D;
    inputBias: Tensor1D;
    recurrentBias: Tensor1D;
  };
  /** hₜ = λ ∘ hₜ₋₁ + xₜ within each session → states [T, 2 S]. */
  linearRecurrence?(args: LinearRecurrenceArgs): Tensor2D;
  linearRecurrenceGradient?(args: LinearRecurrenceArgs & { y: Tensor2D; dy: Tensor2D }): {
    x: Tensor2D;
    decay: Tensor2D;
  };
  /** Mean cross-entropy over the table's rows from `firstRow` on; gradients too when `withGradients`. Never an N × V array. */
  softmaxHead?(args: SoftmaxHeadArgs & { withGradients: boolean }): {
    loss: Scalar;
    hidden?: Tensor2D;
    table?: Tensor2D;
    bias?: Tensor1D;
  };
  /** Mean loss over the target and sampled negatives of every row; gradients too when `withGradients`. N is at least 1. */
  sampledHead?(args: SampledHeadArgs & { withGradients: boolean }): {
    loss: Scalar;
    hidden?: Tensor2D;
    table?: Tensor2D;
    bias?: Tensor1D;
  };
  /** Ranks (1-based, ties count against) of the targets among rows ≥ firstRow; blockwise. */
  rankOfTarget?(args: RankOfTargetArgs): Pick<CatalogueScores, 'ranks' | 'nonFiniteRow'>;
  /** The k best rows ≥ firstRow per query, best first, ties by lower id. Empty places hold id 0 and score -Infinity. */
  topK?(args: TopKArgs): Omit<CatalogueScores, 'ranks'>;
  /** The first item ≥ firstRow at which the sum of softmax probabilities exceeds the row's uniform number. */
  sampleItems?(args: SampleItemsArgs): { readonly itemIds: Int32Array; readonly nonFiniteRow: number };
  /** Both in one pass over the table. */
  rankAndTopK?(args: RankAndTopKArgs): CatalogueScores;
  /** One Adam(W) step in place on the arrays of `parameter`, `moment1` and `moment2`; with `rows`, as in every optimizer, on those rows alone. */
  adam?(args: AdamArgs): void;
  /** One Adagrad step in place on the arrays of `parameter`, `accumulator` and, when momentum > 0, `velocity`. */
  adagrad?(args: AdagradArgs): void;
  /** One step of gradient descent in place on the arrays of `parameter` and, when momentum > 0, `velocity`. */
  sgd?(args: SgdArgs): void;
  /** Square root of the sum of squares over all tensors. */
  globalNorm?(tensors: readonly tf.Tensor[]): number;
  /** t ← factor · t in place. */
  scaleInPlace?(tensors: readonly tf.Tensor[], factor: number): void;
}

export interface EmbedArgs {
  readonly table: Tensor2D;
  readonly itemIds: Int32Array;
  readonly positionTable?: Tensor2D;
  readonly positions?: Int32Array;
  readonly scale: number;
  readonly dropout: Dropout;
}

export interface LinearArgs {
  readonly x: Tensor2D;
  readonly weights: Tensor2D;
  readonly bias?: Tensor1D;
  readonly activation: Activation;
  /** Operands of the products; sums are always float32. A kernel without bfloat16 computes in float32. */
  readonly precision?: ProductPrecision;
}

export interface ResidualNormArgs {
  readonly x: Tensor2D;
  readonly residual?: Tensor2D;
  readonly gamma: Tensor1D;
  readonly beta?: Tensor1D;
  readonly kind: NormKind;
  readonly epsilon: number;
  readonly dropout: Dropout;
}

export interface JaggedAttentionArgs {
  readonly query: Tensor2D;
  readonly key: Tensor2D;
  readonly value: Tensor2D;
  readonly offsets: Int32Array;
  readonly numHeads: number;
  readonly causal: boolean;
  readonly scale: number;
  readonly dropout: Dropout;
  /** Session after session, its length × length block, row-major: 0 where query i may not see key j. */
  readonly mask?: Uint8Array;
  /** [2 R + 1, H]: row clip(j − i, −R, R) + R is added to the scaled score of query i and key j. */
  readonly relativeBias?: Tensor2D;
  readonly relative?: RelativeScores;
  readonly pairBias?: PairBias;
  readonly kind: AttentionKind;
}

/** table[kind of the pair] is added to the scaled score of query i and key j, head by head. */
export interface PairBias {
  /** [K, H], learned. */
  readonly table: Tensor2D;
  /** Session after session, its length × length block, row-major: below K. Must not change until the gradient has run. */
  readonly kinds: Uint8Array;
}

/** scale · query[i] · keys[clip(j − i, −R, R) + R], head by head, is added to the score of query i and key j. */
export interface RelativeScores {
  /** [T, D] */
  readonly query: Tensor2D;
  /** [2 R + 1, D] */
  readonly keys: Tensor2D;
}

export interface GruArgs {
  readonly x: Tensor2D;
  readonly offsets: Int32Array;
  readonly inputWeights: Tensor2D;
  readonly recurrentWeights: Tensor2D;
  readonly inputBias: Tensor1D;
  readonly recurrentBias: Tensor1D;
}

export interface LinearRecurrenceArgs {
  readonly x: Tensor2D;
  readonly offsets: Int32Array;
  /** [2, S]: real parts, imaginary parts. */
  readonly decay: Tensor2D;
}

export interface SampleItemsArgs {
  readonly hidden: Tensor2D;
  readonly table: Tensor2D;
  readonly bias?: Tensor1D;
  readonly firstRow: number;
  readonly temperature: number;
  /** In [0, 1) [N]. */
  readonly uniforms: Float64Array;
}

export interface SoftmaxHeadArgs {
  readonly hidden: Tensor2D;
  readonly table: Tensor2D;
  readonly bias?: Tensor1D;
  readonly targetIds: Int32Array;
  readonly firstRow: number;
  readonly temperature: number;
  readonly labelSmoothing: number;
  /** Operands of the products; sums are always float32. A kernel without bfloat16 computes in float32. */
  readonly precision?: ProductPrecision;
}

export type SampledForm = 'softmax' | 'bce' | 'gbce' | 'bpr' | 'bprMax' | 'top1' | 'top1Max';

/** Log sampling probabilities of the candidates. */
export interface LogQ {
  /** [N] */
  readonly targets: Float32Array;
  /** One per negative id. */
  readonly negatives: Float32Array;
}

export interface SampledHeadArgs {
  readonly hidden: Tensor2D;
  readonly table: Tensor2D;
  readonly bias?: Tensor1D;
  readonly targetIds: Int32Array;
  /** [K] when `isShared`, else [N · K]. */
  readonly negativeIds: Int32Array;
  readonly numNegatives: number;
  readonly isShared: boolean;
  /** Places of the shared list that take no part in row n: `places[offsets[n]] … places[offsets[n + 1] - 1]`. */
  readonly excludedPlaces?: { readonly offsets: Int32Array; readonly places: Int32Array };
  readonly logQ?: LogQ;
  readonly form: SampledForm;
  /** β of `gbce`; 1 otherwise. */
  readonly positivePower: number;
  readonly bpreg: number;
  /** α of the exponential linear unit on the scores of the pairwise forms; 0 for none. */
  readonly elu: number;
  /** Whether the scores of the pairwise forms pass through tanh; `elu` is 0 then. */
  readonly tanh: boolean;
}

export interface RankOfTargetArgs {
  readonly hidden: Tensor2D;
  readonly table: Tensor2D;
  readonly bias?: Tensor1D;
  readonly targetIds: Int32Array;
  readonly firstRow: number;
  readonly excluded?: ExcludedItems;
}

export interface TopKArgs {
  readonly hidden: Tensor2D;
  readonly table: Tensor2D;
  readonly bias?: Tensor1D;
  readonly k: number;
  readonly firstRow: number;
  readonly excluded?: ExcludedItems;
}

export interface RankAndTopKArgs extends RankOfTargetArgs, TopKArgs {}

export interface CatalogueScores {
  readonly ranks: Int32Array;
  readonly itemIds: Int32Array;
  readonly scores: Float32Array;
  /** First row of `hidden` with a score that is NaN or infinite, or −1; then the other numbers mean nothing. */
  readonly nonFiniteRow: number;
}

/**
 * Rows (places along the first axis) of a parameter that move, each once; `gradient` has one row for each, in the same
 * order. Absent: the whole parameter moves.
 */
export type MovedRows = Int32Array;

export interface AdamArgs {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  readonly moment1: tf.Variable;
  readonly moment2: tf.Variable;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** λ₂ ≥ 0: λ₂ p is added to the gradient. Default 0. */
  readonly l2?: number;
  /** Number of steps taken, this one included (1 for the first). */
  readonly step: number;
  readonly rows?: MovedRows;
}

export interface AdagradArgs {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  /** Sum of the squares of all gradients so far. */
  readonly accumulator: tf.Variable;
  /** Needed when momentum > 0, else left alone. */
  readonly velocity?: tf.Variable;
  readonly learningRate: number;
  readonly epsilon: number;
  /** In [0, 1). */
  readonly momentum: number;
  readonly weightDecay: number;
  readonly rows?: MovedRows;
}

export interface SgdArgs {
  readonly parameter: tf.Variable;
  readonly gradient: tf.Tensor;
  /** Needed when momentum > 0, else left alone. */
  readonly velocity?: tf.Variable;
  readonly learningRate: number;
  /** In [0, 1). */
  readonly momentum: number;
  readonly weightDecay: number;
  readonly rows?: MovedRows;
}

const kernelsByBackend = new Map<string, FusedKernels>();
const reportedFallbacks = new Map<string, Set<keyof FusedKernels>>();
let forcedReference = false;

/** Declares what a backend can do itself. Called by the backend's own registration. */
export function registerFusedKernels(backendName: string, kernels: FusedKernels): void {
  kernelsByBackend.set(backendName, kernels);
}

/**
 * The active backend's kernel of that name, or undefined when the reference is to run. A backend that offers fused
 * kernels but lacks this one is warned of once and remembered in `fusedKernelFallbacks`.
 */
export function fusedKernel<K extends keyof FusedKernels>(name: K): FusedKernels[K] | undefined {
  if (forcedReference) return undefined;
  const backend = tf.getBackend();
  const kernels = kernelsByBackend.get(backend);
  if (!kernels) return undefined;
  const kernel = kernels[name];
  if (!kernel) {
    const missing = reportedFallbacks.get(backend) ?? new Set();
    if (!missing.has(name)) {
      console.warn(`${backend} backend: no kernel for ${name}; its plain reference runs, slower; this is said once`);
    }
    missing.add(name);
    reportedFallbacks.set(backend, missing);
  }
  return kernel;
}

/** Kernels that a backend lacked when an op asked for them: what ran slower than it could. */
export function fusedKernelFallbacks(backendName: string): readonly string[] {
  return [...(reportedFallbacks.get(backendName) ?? [])].sort();
}

/** Runs `body` with every op on its plain reference, whatever the backend offers: how the tests compare the two. */
export function withReferenceOps<T>(body: () => T): T {
  const before = forcedReference;
  forcedReference = true;
  try {
    return body();
  } finally {
    forcedReference = before;
  }
}
