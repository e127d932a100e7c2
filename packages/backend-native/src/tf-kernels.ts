import type { KernelConfig, KernelFunc, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { copyBlock } from './copy-block.ts';
import { NativeBackend } from './native-backend.ts';

/** A kernel that handles the case fast, or returns undefined to leave it to the CPU backend's JavaScript. */
type FastPath<Result = TensorInfo> = (
  backend: NativeBackend,
  inputs: Record<string, TensorInfo>,
  attrs: NamedAttrMap,
) => Result | undefined;

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1);
const isFloat = (...tensors: readonly TensorInfo[]): boolean => tensors.every((t) => t?.dtype === 'float32');

/** Below this many elements the call into C++ costs more than it saves. */
const MIN_ELEMENTS = 64;

/** Numbers of the operations on the C++ side. */
const BINARY: Readonly<Record<string, number>> = { Add: 0, Sub: 1, Multiply: 2, RealDiv: 3 };
const UNARY: Readonly<Record<string, number>> = {
  Relu: 0,
  Tanh: 1,
  Sigmoid: 2,
  Exp: 3,
  Square: 4,
  Sqrt: 5,
  Neg: 6,
  Rsqrt: 7,
};

/** Equal shapes, a scalar, or [D] against […, D]. */
function broadcasts(shape: readonly number[], small: readonly number[]): boolean {
  const trimmed = small.slice(small.findIndex((n) => n !== 1));
  if (sizeOf(small) === 1) return small.length <= shape.length;
  return small.length <= shape.length && trimmed.every((n, i) => n === shape[shape.length - trimmed.length + i]);
}

function binary(kind: number): FastPath {
  return (backend, { a, b }) => {
    if (!isFloat(a, b)) return undefined;
    const [large, small] = sizeOf(a.shape) >= sizeOf(b.shape) ? [a, b] : [b, a];
    if (sizeOf(large.shape) < MIN_ELEMENTS || small.shape.length > large.shape.length) return undefined;
    if (!broadcasts(large.shape, small.shape)) return undefined;
    const y = backend.output(large.shape);
    const [left, right] = [backend.floats(a), backend.floats(b)];
    backend.addon.binary(kind, y.values.length, left.length, right.length, left, right, y.values);
    return y.info;
  };
}

function unary(kind: number): FastPath {
  return (backend, { x }) => {
    if (!isFloat(x) || sizeOf(x.shape) < MIN_ELEMENTS) return undefined;
    const y = backend.output(x.shape);
    backend.addon.unary(kind, y.values.length, backend.floats(x), y.values);
    return y.info;
  };
}

/** a · b over the last two axes; batches of equal number, or one of the two shared. */
const batchMatMul: FastPath = (backend, { a, b }, attrs) => {
  if (!isFloat(a, b)) return undefined;
  const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [numA, numB] = [sizeOf(batchA), sizeOf(batchB)];
  if (numA !== 1 && numB !== 1 && batchA.join() !== batchB.join()) return undefined;
  const [rowsA, columnsA] = a.shape.slice(-2);
  const [rowsB, columnsB] = b.shape.slice(-2);
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [n, inner] = transposeB ? [rowsB, columnsB] : [columnsB, rowsB];
  if (k !== inner) return undefined;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  const y = backend.output([...batch, m, n]);
  const numProducts = sizeOf(batch);
  backend.addon.matMul(
    numProducts,
    m,
    n,
    k,
    numA === 1 && numProducts !== 1 ? 1 : 0,
    numB === 1 && numProducts !== 1 ? 1 : 0,
    transposeA ? 1 : 0,
    transposeB ? 1 : 0,
    backend.floats(a),
    backend.floats(b),
    y.values,
  );
  return y.info;
};

const fusedMatMul: FastPath = (backend, inputs, attrs) => {
  const { activation, transposeA, transposeB } = attrs as unknown as {
    activation: string | undefined;
    transposeA: boolean;
    transposeB: boolean;
  };
  const kind = { relu: 0, tanh: 1, sigmoid: 2 }[activation ?? ''];
  if (activation && activation !== 'linear' && kind === undefined) return undefined;
  if (inputs.bias && (!isFloat(inputs.bias) || inputs.bias.shape.length !== 1)) return undefined;
  let y = batchMatMul(backend, inputs, { transposeA, transposeB });
  const then = (next: TensorInfo | undefined) => {
    if (next && y) backend.disposeData(y.dataId);
    y = next ?? y;
  };
  if (y && inputs.bias) {
    const values = backend.floats(y);
    const bias = backend.floats(inputs.bias);
    const out = backend.output(y.shape);
    backend.addon.binary(0, values.length, values.length, bias.length, values, bias, out.values);
    then(out.info);
  }
  if (y && kind !== undefined) {
    const out = backend.output(y.shape);
    backend.addon.unary(kind, out.values.length, backend.floats(y), out.values);
    then(out.info);
  }
  return y;
};

/** Sums over leading axes, trailing axes, or all. */
const sum: FastPath = (backend, { x }, attrs) => {
  if (!isFloat(x) || sizeOf(x.shape) < MIN_ELEMENTS) return undefined;
  const { axis, keepDims } = attrs as unknown as { axis: number | number[] | undefined; keepDims: boolean };
  const rank = x.shape.length;
  const axes = tf.util.parseAxisParam(axis ?? x.shape.map((_, i) => i), x.shape).sort((i, j) => i - j);
  const leading = axes.every((a, i) => a === i);
  const trailing = axes.every((a, i) => a === rank - axes.length + i);
  if (axes.length === 0 || (!leading && !trailing)) return undefined;
  const kept = x.shape.filter((_, i) => !axes.includes(i));
  const y = backend.output(keepDims ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n)) : kept);
  const outer = trailing ? sizeOf(kept) : sizeOf(x.shape) / sizeOf(kept);
  const inner = trailing ? sizeOf(x.shape) / sizeOf(kept) : sizeOf(kept);
  backend.addon.sums(trailing ? 1 : 0, outer, inner, backend.floats(x), y.values);
  return y.info;
};

/** Two axes swapped, with axes of size 1 anywhere. */
const transpose: FastPath = (backend, { x }, attrs) => {
  const { perm } = attrs as unknown as { perm: number[] };
  if (!isFloat(x) || x.shape.length !== 2 || perm[0] !== 1) return undefined;
  const [rows, columns] = x.shape;
  const y = backend.output([columns, rows]);
  backend.addon.transpose(rows, columns, backend.floats(x), y.values);
  return y.info;
};

/** Whole rows of a matrix by int32 index. */
const gather: FastPath = (backend, { x, indices }, attrs) => {
  const { axis, batchDims } = attrs as unknown as { axis: number; batchDims: number };
  if (!isFloat(x) || x.shape.length !== 2 || indices.dtype !== 'int32' || axis !== 0 || batchDims) return undefined;
  const rows = backend.integers(indices);
  const [numRows, width] = x.shape;
  for (let i = 0; i < rows.length; i++) {
    if (rows[i] < 0 || rows[i] >= numRows) {
      throw new Error(`GatherV2: indices[${i}] is ${rows[i]}, expected 0 … ${numRows - 1}`);
    }
  }
  const y = backend.output([...indices.shape, width]);
  backend.addon.gather(numRows, rows.length, width, backend.floats(x), rows, y.values);
  return y.info;
};

function block(backend: NativeBackend, x: TensorInfo, begin: readonly number[], size: readonly number[]): TensorInfo {
  const y = backend.output(size);
  copyBlock(backend.floats(x), x.shape, begin, size, y.values);
  return y.info;
}

/** A block of any shape: the CPU backend looks every number up by its indices. */
const slice: FastPath = (backend, { x }, attrs) => {
  if (!isFloat(x)) return undefined;
  const { begin, size } = attrs as unknown as { begin: number | number[]; size: number | number[] };
  const [from, taken] = tf.slice_util.parseSliceParams(x as tf.Tensor, begin, size);
  if (sizeOf(taken) < MIN_ELEMENTS) return undefined;
  tf.slice_util.assertParamsValid(x as tf.Tensor, from, taken);
  return block(backend, x, from, taken);
};

/** Parts along one axis. */
const splitV: FastPath<TensorInfo[]> = (backend, { x }, attrs) => {
  if (!isFloat(x) || sizeOf(x.shape) < MIN_ELEMENTS) return undefined;
  const { numOrSizeSplits, axis } = attrs as unknown as { numOrSizeSplits: number | number[]; axis: number };
  const [along] = tf.util.parseAxisParam(axis, x.shape);
  const begin = x.shape.map(() => 0);
  return tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, along).map((length) => {
    const size = x.shape.map((n, i) => (i === along ? length : n));
    const part = block(backend, x, begin, size);
    begin[along] += length;
    return part;
  });
};

const FAST_PATHS: Readonly<Record<string, FastPath | FastPath<TensorInfo[]>>> = {
  BatchMatMul: batchMatMul,
  _FusedMatMul: fusedMatMul,
  Sum: sum,
  Transpose: transpose,
  GatherV2: gather,
  Slice: slice,
  SplitV: splitV,
  ...Object.fromEntries(Object.entries(BINARY).map(([name, kind]) => [name, binary(kind)])),
  ...Object.fromEntries(Object.entries(UNARY).map(([name, kind]) => [name, unary(kind)])),
};

/** Kernels that only relabel or create data: never worth a report. */
const CHEAP = new Set([
  'Identity',
  'Reshape',
  'ExpandDims',
  'Cast',
  'Fill',
  'ZerosLike',
  'OnesLike',
  'Slice',
  'Concat',
]);
/** Elements from which a JavaScript kernel is slow enough to be named. */
const MANY_ELEMENTS = 1 << 16;

const slowKernels = new Set<string>();

/** TensorFlow.js operations on 65,536 elements or more that ran in plain JavaScript on this backend so far; each was warned of once. */
export function nativeBackendFallbacks(): readonly string[] {
  return [...slowKernels].sort();
}

function elements(inputs: Record<string, TensorInfo | TensorInfo[]>): number {
  let total = 0;
  for (const input of Object.values(inputs).flat()) if (input) total += sizeOf(input.shape);
  return total;
}

function withFastPath({ kernelName, kernelFunc }: KernelConfig): KernelFunc {
  const fast = FAST_PATHS[kernelName];
  return (args) => {
    const inputs = args.inputs as unknown as Record<string, TensorInfo>;
    if (fast && args.backend instanceof NativeBackend) {
      const result = fast(args.backend, inputs, args.attrs ?? {});
      if (result) return result;
    }
    if (!CHEAP.has(kernelName) && !slowKernels.has(kernelName) && elements(inputs) >= MANY_ELEMENTS) {
      slowKernels.add(kernelName);
      console.warn(
        `native backend: ${kernelName} on ${elements(inputs)} elements runs in plain JavaScript, many times slower than a kernel; this is said once`,
      );
    }
    return kernelFunc(args);
  };
}

/** Registers every kernel of the CPU backend under the native backend's name, the hot ones with a fast path in front. */
export function registerTfKernels(backendName: string): void {
  for (const config of tf.getKernelsForBackend('cpu')) {
    if (tf.getKernel(config.kernelName, backendName)) continue;
    tf.registerKernel({ ...config, backendName, kernelFunc: withFastPath(config) });
  }
}
