import { assertClose, createRandom, numericGradient, randomFloats } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import { opCases } from '../test/op-cases.ts';

/** Every op's reference: gradients against central differences, and no tensor left behind. */
describe.each(REFERENCE_BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(opCases(1).map((opCase) => [opCase.name, opCase] as const))('%s', (_name, { inputs, run }) => {
    const before = tf.memory().numTensors;
    const outputShape = tf.tidy(() => run(...inputs.map(({ values, shape }) => tf.tensor(values, [...shape]))).shape);
    const weights = randomFloats(tf.util.sizeFromShape(outputShape), createRandom(2));
    const objective = (...tensors: tf.Tensor[]) =>
      tf.sum(tf.mul(run(...tensors), tf.tensor(weights, outputShape))) as tf.Scalar;
    const make = () => inputs.map(({ values, shape }) => tf.tensor(values, [...shape]));

    const gradients = tf.tidy(() =>
      tf
        .grads(objective)(make())
        .map((g) => g.dataSync().slice()),
    );
    inputs.forEach(({ values }, i) => {
      const f = () => tf.tidy(() => objective(...make()).dataSync()[0]);
      assertClose(`gradient of input ${i}`, gradients[i], numericGradient(f, values), 4e-3);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});
