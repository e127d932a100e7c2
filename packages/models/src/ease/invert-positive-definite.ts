import { readNumbers } from '@nimue/ops';
import * as tf from '@tensorflow/tfjs';

/** Blocks up to this size are factored in float64 on their own. */
const LARGEST_BLOCK = 64;

/**
 * The inverse of a symmetric positive definite matrix [n, n], row after row: MᵀM with M = L⁻¹ of the Cholesky factor L. The
 * way over the factor keeps float32 usable: its condition is the root of the matrix's, whereas Schur complements made with
 * explicit inverses lose small eigenvalues (λ beside counts of popular items) altogether.
 *
 * @throws when a pivot is not positive: the matrix is not positive definite
 */
export function invertPositiveDefinite(matrix: Float32Array, n: number): Float32Array {
  const m = inverseOfFactor(matrix, n, 0);
  return product([m, n, n], [m, n, n], true);
}

/**
 * M = L⁻¹ of A = LLᵀ, lower triangular with zeros above, by halves: with A₁₁ = L₁₁L₁₁ᵀ and M₁₁ = L₁₁⁻¹, L₂₁ = A₂₁M₁₁ᵀ,
 * A₂₂ − L₂₁L₂₁ᵀ = L₂₂L₂₂ᵀ, M₂₂ = L₂₂⁻¹ and M₂₁ = −M₂₂L₂₁M₁₁. Nearly all of the work is matrix products, which the active
 * backend computes; blocks are copied as rows of arrays, since backends without a kernel for slices copy them number by number.
 *
 * @param firstPivot row of the whole matrix in which this block begins, for messages
 */
function inverseOfFactor(matrix: Float32Array, n: number, firstPivot: number): Float32Array {
  if (n <= LARGEST_BLOCK) return inverseOfSmallFactor(matrix, n, firstPivot);
  const half = Math.ceil(n / 2);
  const rest = n - half;
  const m11 = inverseOfFactor(blockOf(matrix, n, 0, 0, half, half), half, firstPivot);
  const l21 = product([blockOf(matrix, n, half, 0, rest, half), rest, half], [m11, half, half], false, true);
  const complement = blockOf(matrix, n, half, half, rest, rest);
  subtract(complement, product([l21, rest, half], [l21, rest, half], false, true));
  const m22 = inverseOfFactor(complement, rest, firstPivot + half);
  const m21 = product([product([m22, rest, rest], [l21, rest, half]), rest, half], [m11, half, half]);
  const m = new Float32Array(n * n);
  for (let i = 0; i < half; i++) m.set(m11.subarray(i * half, (i + 1) * half), i * n);
  for (let i = 0; i < rest; i++) {
    const row = (half + i) * n;
    for (let j = 0; j < half; j++) m[row + j] = -m21[i * half + j];
    m.set(m22.subarray(i * rest, (i + 1) * rest), row + half);
  }
  return m;
}

type Matrix = readonly [values: Float32Array, numRows: number, numColumns: number];

/** a · b, each transposed where said. */
export function product(a: Matrix, b: Matrix, transposeA = false, transposeB = false): Float32Array {
  return readNumbers(() =>
    tf.matMul(tf.tensor2d(a[0], [a[1], a[2]]), tf.tensor2d(b[0], [b[1], b[2]]), transposeA, transposeB),
  );
}

function blockOf(matrix: Float32Array, n: number, top: number, left: number, rows: number, columns: number) {
  const block = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const from = (top + i) * n + left;
    block.set(matrix.subarray(from, from + columns), i * columns);
  }
  return block;
}

/** a −= b */
function subtract(a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < a.length; i++) a[i] -= b[i];
}

function inverseOfSmallFactor(matrix: Float32Array, n: number, firstPivot: number): Float32Array {
  const l = Float64Array.from(matrix);
  const m = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    let pivot = l[j * n + j];
    for (let k = 0; k < j; k++) pivot -= l[j * n + k] ** 2;
    if (!(pivot > 0)) {
      throw new Error(
        `invertPositiveDefinite: pivot ${firstPivot + j} is ${pivot}; the matrix is not positive definite`,
      );
    }
    const root = Math.sqrt(pivot);
    l[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let sum = l[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = sum / root;
    }
    // Row j of M = L⁻¹ from the rows above it.
    for (let i = 0; i < j; i++) {
      let sum = 0;
      for (let k = i; k < j; k++) sum += l[j * n + k] * m[k * n + i];
      m[j * n + i] = -sum / root;
    }
    m[j * n + j] = 1 / root;
  }
  return Float32Array.from(m);
}
