import { assertClose, createRandom, numericGradient, randomFloats } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { replacedTokenLoss } from './index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

test('hand value: generator + λ · mean over all positions', () => {
  // odds 3, 1, 1/4 of "replaced": probabilities 3/4, 1/2, 1/5
  const logits = tf.tensor2d([Math.log(3), 0, -Math.log(4)], [3, 1]);
  const value = replacedTokenLoss({
    generatorLoss: tf.scalar(0.7),
    logits,
    isReplaced: Uint8Array.of(1, 0, 0),
    weight: 50,
  });
  const pair = -(Math.log(3 / 4) + Math.log(1 / 2) + Math.log(4 / 5)) / 3;
  expect(value.dataSync()[0]).toBeCloseTo(0.7 + 50 * pair, 4);
});

test('numeric gradient of both; a discriminator that is sure of the truth still counts in the mean', () => {
  const values = randomFloats(7, createRandom(4), 3);
  values[2] = 40;
  const generator = Float32Array.of(0.3);
  const isReplaced = Uint8Array.of(1, 0, 1, 0, 0, 1, 0);
  const f = (generatorLoss: tf.Tensor, logits: tf.Tensor) =>
    replacedTokenLoss({
      generatorLoss: generatorLoss as tf.Scalar,
      logits: logits as tf.Tensor2D,
      isReplaced,
      weight: 2.5,
    });
  const tensors = () => [tf.scalar(generator[0]), tf.tensor2d(values, [7, 1])];
  const gradients = tf.grads(f)(tensors());
  [generator, values].forEach((array, i) => {
    const numeric = numericGradient(() => {
      const [g, z] = tensors();
      return f(g, z).dataSync()[0];
    }, array);
    assertClose(`input ${i}`, gradients[i].dataSync(), numeric, 2e-3);
  });
  expect(gradients[1].dataSync()[2]).toBeCloseTo(0, 6);
});

test('no positions: the generator alone; other shapes are refused', () => {
  const generatorLoss = tf.scalar(1.5);
  const none = { generatorLoss, logits: tf.zeros([0, 1]) as tf.Tensor2D, isReplaced: new Uint8Array(0), weight: 3 };
  expect(replacedTokenLoss(none).dataSync()[0]).toBe(1.5);
  expect(() => replacedTokenLoss({ ...none, logits: tf.zeros([4, 1]) })).toThrow('expected [0, 1] for as many labels');
});
