import { readFileSync } from 'node:fs';
import { NO_TARGETS, packSessions } from '@nimue/batch';
import { assertClose } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { type LossSpec, replacedTokenLoss } from './index.ts';
import * as losses from './losses.ts';

interface Case {
  readonly name: 'binary' | 'regression';
  readonly labels: (number | null)[];
  readonly loss: number;
  readonly hidden: number[];
  readonly weights: number[];
  readonly bias: number[];
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/heads.json', import.meta.url), 'utf8')) as {
  hidden: number[];
  weights: number[];
  bias: number[];
  heads: Case[];
  replacedToken: {
    generator: number;
    weight: number;
    logits: number[];
    isReplaced: number[];
    loss: number;
    gradient: number[];
  };
};

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

// Provenance is in the fixture: PyTorch's own losses in float64.
test.each(fixture.heads.map((row) => [row.name, row] as const))(
  '%s: loss and gradients are those of PyTorch over the labelled targets',
  (name, row) => {
    const spec: LossSpec = losses[name];
    const loss = spec.create(spec.configSchema.parse({ column: 'label' }));
    const label = Float32Array.from(row.labels, (value) => value ?? Number.NaN);
    const { value, grads } = tf.valueAndGrads((hidden: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor) =>
      loss({
        hidden: hidden as tf.Tensor2D,
        itemTable: tf.zeros([4, 4]),
        targetIds: new Int32Array(7).fill(3),
        batch: { ...packSessions([]), targets: { ...NO_TARGETS, labels: { label } } },
        headOutput: (_name, states) =>
          tf.reshape(tf.add(tf.matMul(states, weights as tf.Tensor2D), bias), [-1]) as tf.Tensor1D,
      }),
    )([tf.tensor2d(fixture.hidden, [7, 4]), tf.tensor2d(fixture.weights, [4, 1]), tf.tensor1d(fixture.bias)]);
    assertClose('loss', value.dataSync(), [row.loss], 1e-5);
    assertClose('gradient of hidden', grads[0].dataSync(), row.hidden, 1e-5);
    assertClose('gradient of the weights', grads[1].dataSync(), row.weights, 1e-5);
    assertClose('gradient of the bias', grads[2].dataSync(), row.bias, 1e-5);
  },
);

test('replaced tokens: the pair of losses and its gradient are those of PyTorch', () => {
  const { generator, weight, logits, isReplaced, loss, gradient } = fixture.replacedToken;
  const { value, grad } = tf.valueAndGrad((z: tf.Tensor) =>
    replacedTokenLoss({
      generatorLoss: tf.scalar(generator),
      logits: z as tf.Tensor2D,
      isReplaced: Uint8Array.from(isReplaced),
      weight,
    }),
  )(tf.tensor2d(logits, [12, 1]));
  assertClose('loss', value.dataSync(), [loss], 1e-5);
  assertClose('gradient', grad.dataSync(), gradient, 1e-5);
});
