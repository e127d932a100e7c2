import { readNumbers } from '@nimue/ops';
import * as tf from '@tensorflow/tfjs';

/** Blocks up to this size are inverted in float64 on their own. */
const LARGEST_BLOCK = 64;

/**
 * The inverse of a symmetric positive definite matrix [n, n], row after row, by halves: with A the upper left block, B the
 * upper right one and S = C − Bᵀ A⁻¹ B (the Schur complement), the blocks of the inverse are A⁻¹ + A⁻¹B S⁻¹ BᵀA⁻¹,
 * −A⁻¹B S⁻¹ and S⁻¹. Nearly all of the work is matrix products, which the active backend computes; blocks are copied as rows of
 * arrays, since backends without a kernel for slices copy them number by number.
 *
 * @throws when a pivot is not positive: the matrix is not positive definite
 */
export function invertPositiveDefinite(matrix: Float32Array, n: number): Float32Array {
  if (n <= LARGEST_BLOCK) return invertBlock(matrix, n);
  const half = Math.ceil(n / 2);
  const rest = n - half;
  const b = blockOf(matrix, n, 0, half, half, rest);
  const inverseOfA = invertPositiveDefinite(blockOf(matrix, n, 0, 0, half, half), half);
  const inverseOfAB = product([inverseOfA, half, half], [b, half, rest]);
  const complement = blockOf(matrix, n, half, half, rest, rest);
  subtract(complement, product([b, half, rest], [inverseOfAB, half, rest], true));
  const lowerRight = invertPositiveDefinite(complement, rest);
  const upperRight = product([inverseOfAB, half, rest], [lowerRight, rest, rest]).map((value) => -value);
  const upperLeft = inverseOfA;
  subtract(upperLeft, product([upperRight, half, rest], [inverseOfAB, half, rest], false, true));
  const inverse = new Float32Array(n * n);
  for (let i = 0; i < half; i++) {
    inverse.set(upperLeft.subarray(i * half, (i + 1) * half), i * n);
    inverse.set(upperRight.subarray(i * rest, (i + 1) * rest), i * n + half);
  }
  for (let i = 0; i < rest; i++) {
    const row = (half + i) * n;
    for (let j = 0; j < half; j++) inverse[row + j] = upperRight[j * rest + i];
    inverse.set(lowerRight.subarray(i * rest, (i + 1) * rest), row + half);
  }
  return inverse;
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

/** Gauss–Jordan elimination; a positive definite matrix needs no pivoting. */
function invertBlock(matrix: Float32Array, n: number): Float32Array {
  const a = Float64Array.from(matrix);
  for (let pivot = 0; pivot < n; pivot++) {
    const value = a[pivot * n + pivot];
    if (!(value > 0)) {
      throw new Error(`invertPositiveDefinite: pivot ${pivot} is ${value}; the matrix is not positive definite`);
    }
    a[pivot * n + pivot] = 1;
    for (let j = 0; j < n; j++) a[pivot * n + j] /= value;
    for (let i = 0; i < n; i++) {
      if (i === pivot) continue;
      const factor = a[i * n + pivot];
      a[i * n + pivot] = 0;
      for (let j = 0; j < n; j++) a[i * n + j] -= factor * a[pivot * n + j];
    }
  }
  return Float32Array.from(a);
}
