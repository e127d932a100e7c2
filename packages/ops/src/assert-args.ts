import type { Tensor, Variable } from '@tensorflow/tfjs';
import type { Dropout } from './fused-kernels.ts';

/** @throws when the tensor is not float32 of the given shape (−1 matches any size). */
export function assertShape(op: string, name: string, tensor: Tensor, shape: readonly number[]): void {
  if (tensor.dtype !== 'float32') throw new Error(`${op}: ${name} must be float32, got ${tensor.dtype}`);
  const fits = tensor.shape.length === shape.length && shape.every((n, i) => n === -1 || n === tensor.shape[i]);
  if (!fits) {
    const expected = shape.map((n) => (n === -1 ? '?' : n)).join(', ');
    throw new Error(`${op}: ${name} has shape [${tensor.shape.join(', ')}], expected [${expected}]`);
  }
}

/** @throws when an index is outside 0 … size − 1. */
export function assertIndices(op: string, name: string, indices: Int32Array, size: number): void {
  if (!(indices instanceof Int32Array)) throw new Error(`${op}: ${name} must be an Int32Array`);
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] < 0 || indices[i] >= size) {
      throw new Error(`${op}: ${name}[${i}] is ${indices[i]}, expected 0 … ${size - 1}`);
    }
  }
}

/** @throws when offsets do not run from 0, never falling, to `numPositions`. */
export function assertOffsets(op: string, offsets: Int32Array, numPositions: number): void {
  if (!(offsets instanceof Int32Array) || offsets.length === 0 || offsets[0] !== 0) {
    throw new Error(`${op}: offsets must be an Int32Array that starts with 0`);
  }
  for (let b = 1; b < offsets.length; b++) {
    if (offsets[b] < offsets[b - 1]) throw new Error(`${op}: offsets fall at ${b} (${offsets[b - 1]} → ${offsets[b]})`);
  }
  if (offsets[offsets.length - 1] !== numPositions) {
    throw new Error(`${op}: offsets end at ${offsets[offsets.length - 1]}, expected ${numPositions} positions`);
  }
}

/** @throws when the rate is outside [0, 1). */
export function assertDropout(op: string, dropout: Dropout): void {
  if (!(dropout.rate >= 0 && dropout.rate < 1))
    throw new Error(`${op}: dropout rate must be in [0, 1), got ${dropout.rate}`);
}

/** @throws when what belongs to a parameter (its gradient, an optimizer's state) does not have the parameter's shape. */
export function assertLikeParameter(op: string, name: string, tensor: Tensor, parameter: Variable): void {
  if (parameter.shape.join() !== tensor.shape.join()) {
    throw new Error(
      `${op}: the ${name} of '${parameter.name}' has shape [${tensor.shape.join(', ')}], expected [${parameter.shape.join(', ')}]`,
    );
  }
}

/** @throws when momentum is outside [0, 1), or positive without a velocity like the parameter. */
export function assertMomentum(
  op: string,
  momentum: number,
  velocity: Variable | undefined,
  parameter: Variable,
): void {
  if (!(momentum >= 0 && momentum < 1)) throw new Error(`${op}: momentum must be in [0, 1), got ${momentum}`);
  if (velocity) assertLikeParameter(op, 'velocity', velocity, parameter);
  else if (momentum > 0) {
    throw new Error(
      `${op}: momentum ${momentum} needs the velocity of '${parameter.name}', got none; pass a variable of zeros at first`,
    );
  }
}

/** @throws when a row is outside 0 … numRows − 1 or is named twice. */
export function assertUniqueRows(op: string, rows: Int32Array, numRows: number): void {
  assertIndices(op, 'rows', rows, numRows);
  const isNamed = new Uint8Array(numRows);
  for (let i = 0; i < rows.length; i++) {
    if (isNamed[rows[i]]) {
      throw new Error(
        `${op}: rows[${i}] is ${rows[i]} a second time, expected every row once; add its gradients up first`,
      );
    }
    isNamed[rows[i]] = 1;
  }
}
