import { withReferenceOps } from '@nimue/ops';
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { nativeAddon, registerNativeBackend } from '../src/register-native-backend.ts';
import { createRandom, randomFloats } from './random-arrays.ts';

// The plain CPU backend greets every process with an advertisement; not in tests.
tf.env().set('PROD', true);

export interface ArrayInput {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Evaluation {
  readonly value: Float32Array;
  readonly gradients: readonly Float32Array[];
}

/** Every instruction set of this machine with one and two threads. */
export function configurations(): { isa: string; threads: number }[] {
  const status = registerNativeBackend();
  if (!status.available) throw new Error(status.reason);
  return nativeAddon()
    .instructionSets()
    .flatMap((isa) => [1, 2].map((threads) => ({ isa, threads })));
}

export function configure({ isa, threads }: { isa: string; threads: number }): void {
  nativeAddon().setInstructionSet(isa);
  nativeAddon().setNumThreads(threads);
}

/** Runs `body` with bfloat16 products on every instruction set: real ones where the processor has them, emulated elsewhere. */
export function withEmulatedBfloat16(body: () => void): void {
  nativeAddon().emulateBf16(1);
  try {
    body();
  } finally {
    nativeAddon().emulateBf16(0);
  }
}

/** Value of `op` and the gradients of Σ value · weight for fixed random weights. */
export function evaluate(inputs: readonly ArrayInput[], op: (...tensors: Tensor[]) => Tensor): Evaluation {
  return tf.tidy(() => {
    const tensors = inputs.map(({ shape, values }) => tf.tensor(values.slice(), [...shape]));
    const value = op(...tensors);
    const weights = tf.tensor(randomFloats(createRandom(99), value.size), value.shape);
    const gradients = tf.grads((...args: Tensor[]) => tf.sum(tf.mul(op(...args), weights)))(tensors);
    return {
      value: value.dataSync() as Float32Array,
      gradients: gradients.map((gradient) => gradient.dataSync() as Float32Array),
    };
  });
}

export function evaluateOn(backend: string, inputs: readonly ArrayInput[], op: (...t: Tensor[]) => Tensor): Evaluation {
  tf.setBackend(backend);
  return backend === 'cpu' ? withReferenceOps(() => evaluate(inputs, op)) : evaluate(inputs, op);
}

/** Largest |a − b| / (1 + largest |b|). */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Number.isNaN(a[i] - b[i]) ? Number.POSITIVE_INFINITY : Math.abs(a[i] - b[i]));
    size = Math.max(size, Math.abs(b[i]));
  }
  return difference / (1 + size);
}

export function sameBits(a: Evaluation, b: Evaluation): boolean {
  const bytes = (x: Float32Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
  const all = (e: Evaluation) => [e.value, ...e.gradients].map(bytes);
  return all(a).every((part, i) => part.equals(all(b)[i]));
}

/** The native results must match the plain reference, and be the same bits for any number of threads. */
export function expectAgreement(
  inputs: readonly ArrayInput[],
  op: (...tensors: Tensor[]) => Tensor,
  tolerance = 2e-5,
): void {
  const expected = evaluateOn('cpu', inputs, op);
  const bits = new Map<string, Evaluation>();
  for (const configuration of configurations()) {
    configure(configuration);
    const got = evaluateOn('native', inputs, op);
    const where = `${configuration.isa}, ${configuration.threads} threads`;
    const differences = [
      relativeDifference(got.value, expected.value),
      ...got.gradients.map((gradient, i) => relativeDifference(gradient, expected.gradients[i])),
    ];
    if (differences.some((difference) => !(difference <= tolerance))) {
      throw new Error(
        `native differs from the reference (${where}): ${differences.map((d) => d.toExponential(1)).join(', ')}`,
      );
    }
    const before = bits.get(configuration.isa);
    if (before && !sameBits(got, before)) throw new Error(`native gives other bits with ${where}`);
    bits.set(configuration.isa, got);
  }
}
