import * as tf from '@tensorflow/tfjs';
import { useBackend } from '../test/backends.ts';
import {
  adagrad,
  adam,
  clipByGlobalNorm,
  dropout,
  embed,
  gatherRows,
  gru,
  jaggedAttention,
  linear,
  sampledHead,
  scatterRows,
  sgd,
  softmaxHead,
} from './ops.ts';

const matrix = (rows: number, columns: number) => tf.zeros([rows, columns]) as tf.Tensor2D;
const ids = (...values: number[]) => Int32Array.from(values);
const gruWeights = (width: number) => ({
  inputWeights: matrix(2, 3 * width),
  recurrentWeights: matrix(width, 3 * width),
  inputBias: tf.zeros([3 * width]) as tf.Tensor1D,
  recurrentBias: tf.zeros([3 * width]) as tf.Tensor1D,
});

beforeAll(() => useBackend('cpu'));

/** Every wrong argument is an error that says where, what was expected and what came, before any work is done. */
test.each<[string, () => unknown]>([
  ['gatherRows: rows[1] is 2, expected 0 … 1', () => gatherRows(matrix(2, 3), ids(0, 2))],
  ['gatherRows: rows[0] is -1', () => gatherRows(matrix(2, 3), ids(-1))],
  ['gatherRows: x must be float32, got int32', () => gatherRows(tf.zeros([2, 2], 'int32'), ids(0))],
  ['scatterRows: rows[0] is 3, expected 0 … 2', () => scatterRows(matrix(1, 2), ids(3), 3)],
  ['scatterRows: x has shape [2, 2], expected [1, ?]', () => scatterRows(matrix(2, 2), ids(0), 3)],
  ['embed: itemIds[0] is 5, expected 0 … 4', () => embed(matrix(5, 2), ids(5))],
  ['embed: positionTable and positions go together', () => embed(matrix(5, 2), ids(1), { positions: ids(0) })],
  [
    'embed: 2 positions for 1 itemIds',
    () => embed(matrix(5, 2), ids(1), { positions: ids(0, 1), positionTable: matrix(3, 2) }),
  ],
  ['linear: weights has shape [4, 2], expected [3, ?]', () => linear(matrix(1, 3), matrix(4, 2))],
  ['linear: bias has shape [3], expected [2]', () => linear(matrix(1, 3), matrix(3, 2), tf.zeros([3]))],
  ['dropout: dropout rate must be in [0, 1), got 1', () => dropout(matrix(1, 1), { rate: 1, seed: 0 })],
  [
    'jaggedAttention: key has shape [3, 2], expected [2, 2]',
    () => jaggedAttention(matrix(2, 2), matrix(3, 2), matrix(2, 2), ids(0, 2), { causal: true }),
  ],
  [
    'jaggedAttention: offsets end at 3, expected 2 positions',
    () => jaggedAttention(matrix(2, 2), matrix(2, 2), matrix(2, 2), ids(0, 3), { causal: true }),
  ],
  [
    'jaggedAttention: width 4 cannot be split into 3 heads; choose a divisor of the width',
    () => jaggedAttention(matrix(1, 4), matrix(1, 4), matrix(1, 4), ids(0, 1), { causal: true, numHeads: 3 }),
  ],
  [
    'jaggedAttention: mask has length 4, expected 5, the sum of the squared session lengths',
    () =>
      jaggedAttention(matrix(3, 2), matrix(3, 2), matrix(3, 2), ids(0, 2, 3), {
        causal: true,
        mask: new Uint8Array(4),
      }),
  ],
  [
    'jaggedAttention: relative.keys has 2 rows, expected an odd number: one for each distance −R … R',
    () =>
      jaggedAttention(matrix(2, 2), matrix(2, 2), matrix(2, 2), ids(0, 2), {
        causal: true,
        relative: { query: matrix(2, 2), keys: matrix(2, 2) },
      }),
  ],
  [
    'jaggedAttention: pairBias.kinds[3] is 2, expected 0 … 1, a row of the table',
    () =>
      jaggedAttention(matrix(2, 2), matrix(2, 2), matrix(2, 2), ids(0, 2), {
        causal: true,
        pairBias: { table: matrix(2, 1), kinds: Uint8Array.of(0, 1, 0, 2) },
      }),
  ],
  [
    'jaggedAttention: relativeBias has shape [3, 1], expected [?, 2]',
    () =>
      jaggedAttention(matrix(1, 2), matrix(1, 2), matrix(1, 2), ids(0, 1), {
        causal: true,
        numHeads: 2,
        relativeBias: matrix(3, 1),
      }),
  ],
  [
    'jaggedAttention: relativeBias has 4 rows, expected an odd number: one for each distance −R … R',
    () =>
      jaggedAttention(matrix(1, 2), matrix(1, 2), matrix(1, 2), ids(0, 1), {
        causal: true,
        relativeBias: matrix(4, 1),
      }),
  ],
  ['gru: offsets fall at 2 (2 → 1)', () => gru(matrix(2, 2), ids(0, 2, 1), gruWeights(3))],
  ['gru: inputWeights has shape [2, 9], expected [5, 9]', () => gru(matrix(1, 5), ids(0, 1), gruWeights(3))],
  ['softmaxHead: hidden has 2 rows but targetIds has 1', () => softmaxHead(matrix(2, 2), matrix(5, 2), ids(3))],
  ['softmaxHead: targetIds[0] is the reserved id 2', () => softmaxHead(matrix(1, 2), matrix(5, 2), ids(2))],
  [
    'softmaxHead: temperature must be > 0, got 0',
    () => softmaxHead(matrix(1, 2), matrix(5, 2), ids(3), { temperature: 0 }),
  ],
  [
    'softmaxHead: labelSmoothing must be in [0, 1), got NaN',
    () => softmaxHead(matrix(1, 2), matrix(5, 2), ids(3), { labelSmoothing: Number.NaN }),
  ],
  [
    'sampledHead: targetIds[0] is the reserved id 2',
    () => sampledHead(matrix(1, 2), matrix(5, 2), ids(2), { negatives: { shared: ids(3) } }),
  ],
  [
    'sampledHead: negatives.shared[1] is the reserved id 0',
    () => sampledHead(matrix(1, 2), matrix(5, 2), ids(3), { negatives: { shared: ids(3, 0) } }),
  ],
  [
    'sampledHead: negatives.own[0] is 5, expected 0 … 4',
    () => sampledHead(matrix(1, 2), matrix(5, 2), ids(3), { negatives: { own: ids(5) } }),
  ],
  [
    'sampledHead: negatives.own has 3 ids, expected the same number for 2 rows',
    () => sampledHead(matrix(2, 2), matrix(5, 2), ids(3, 3), { negatives: { own: ids(3, 4, 4) } }),
  ],
  [
    'sampledHead: negatives.shared is empty, expected at least one id',
    () => sampledHead(matrix(1, 2), matrix(5, 2), ids(3), { negatives: { shared: ids() } }),
  ],
  [
    'sampledHead: logQ.negatives has 2 values, expected 1',
    () =>
      sampledHead(matrix(1, 2), matrix(5, 2), ids(3), {
        negatives: { shared: ids(4) },
        logQ: { targets: new Float32Array(1), negatives: new Float32Array(2) },
      }),
  ],
  [
    'sampledHead: calibration must be in [0, 1], got 2',
    () => sampledHead(matrix(1, 2), matrix(5, 2), ids(3), { negatives: { shared: ids(4) }, calibration: 2 }),
  ],
  [
    'sampledHead: elu must be ≥ 0 and finite, got -1',
    () => sampledHead(matrix(1, 2), matrix(5, 2), ids(3), { negatives: { shared: ids(4) }, elu: -1 }),
  ],
  [
    'sampledHead: scores pass through tanh or elu, got tanh and elu 1',
    () => sampledHead(matrix(1, 2), matrix(5, 2), ids(3), { negatives: { shared: ids(4) }, elu: 1, tanh: true }),
  ],
  [
    'sampledHead: bpreg must be ≥ 0 and finite, got -1',
    () => sampledHead(matrix(1, 2), matrix(5, 2), ids(3), { negatives: { shared: ids(4) }, bpreg: -1 }),
  ],
  ['clipByGlobalNorm: maxNorm must be > 0, got 0', () => clipByGlobalNorm([matrix(1, 1)], 0)],
])('%s', (message, call) => {
  expect(call).toThrow(message);
});

test('adam names the parameter whose gradient has another shape', () => {
  const variable = (name: string, n: number) => tf.variable(tf.zeros([n]), true, name);
  const [parameter, moment1, moment2] = [variable('p', 2), variable('m', 2), variable('v', 2)];
  const rest = { learningRate: 1, beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0, step: 1 };
  expect(() => adam({ parameter, moment1, moment2, gradient: tf.zeros([3]), ...rest })).toThrow(
    "adam: the gradient of 'p' has shape [3], expected [2]",
  );
});

test('adagrad and sgd name what does not fit the parameter, and ask for the velocity that momentum needs', () => {
  const zeros = (n: number) => tf.variable(tf.zeros([n]));
  const parameter = tf.variable(tf.zeros([2]), true, 'weights');
  const rest = { parameter, gradient: tf.zeros([2]), learningRate: 1, momentum: 0, weightDecay: 0 };
  const adagradArgs = { ...rest, accumulator: zeros(2), epsilon: 1e-6 };
  expect(() => adagrad({ ...adagradArgs, gradient: tf.zeros([3]) })).toThrow(
    "adagrad: the gradient of 'weights' has shape [3], expected [2]",
  );
  expect(() => adagrad({ ...adagradArgs, accumulator: zeros(1) })).toThrow(
    "adagrad: the accumulator of 'weights' has shape [1], expected [2]",
  );
  expect(() => adagrad({ ...adagradArgs, epsilon: 0 })).toThrow('adagrad: epsilon must be > 0, got 0');
  expect(() => adagrad({ ...adagradArgs, momentum: 1 })).toThrow('adagrad: momentum must be in [0, 1), got 1');
  expect(() => sgd({ ...rest, gradient: tf.zeros([2, 1]) })).toThrow(
    "sgd: the gradient of 'weights' has shape [2, 1], expected [2]",
  );
  expect(() => sgd({ ...rest, momentum: 0.5 })).toThrow(
    "sgd: momentum 0.5 needs the velocity of 'weights', got none; pass a variable of zeros at first",
  );
  expect(() => sgd({ ...rest, momentum: 0.5, velocity: zeros(4) })).toThrow(
    "sgd: the velocity of 'weights' has shape [4], expected [2]",
  );
});

test('optimizers take rows of a parameter, each once, and a gradient of just these', () => {
  const [parameter, moment1, moment2] = [1, 2, 3].map((i) =>
    tf.variable(tf.zeros([3, 2]), true, i === 1 ? 'items' : undefined),
  );
  const rest = { parameter, learningRate: 1, weightDecay: 0, momentum: 0 };
  const adamArgs = { ...rest, moment1, moment2, beta1: 0, beta2: 0, epsilon: 1, step: 1, gradient: tf.zeros([1, 2]) };
  expect(() => adam({ ...adamArgs, rows: ids(3) })).toThrow('adam: rows[0] is 3, expected 0 … 2');
  expect(() => adam({ ...adamArgs, rows: ids(1, 0, 1) })).toThrow(
    'adam: rows[2] is 1 a second time, expected every row once',
  );
  const wrong = { rows: ids(1, 0), gradient: tf.zeros([3, 2]) };
  const message = "the gradient for 2 rows of 'items' has shape [3, 2], expected [2, 2]";
  expect(() => adam({ ...adamArgs, ...wrong })).toThrow(`adam: ${message}`);
  expect(() => adagrad({ ...rest, ...wrong, accumulator: moment1, epsilon: 1 })).toThrow(`adagrad: ${message}`);
  expect(() => sgd({ ...rest, ...wrong })).toThrow(`sgd: ${message}`);
  const scalar = tf.variable(tf.scalar(0), true, 'temperature');
  expect(() => sgd({ ...rest, parameter: scalar, gradient: tf.zeros([1]), rows: ids(0) })).toThrow(
    "sgd: rows needs a parameter with rows, 'temperature' is a scalar",
  );
});
