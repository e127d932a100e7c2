import {
  type Activation,
  embed,
  gatherRows,
  gru,
  jaggedAttention,
  linear,
  linearRecurrence,
  rankOfTarget,
  residualAdd,
  residualNorm,
  sampledHead,
  scatterRows,
  softmaxHead,
  topK,
} from '@nimue/ops';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import {
  type ArrayInput,
  configurations,
  configure,
  evaluateOn,
  relativeDifference,
} from '../test/compare-backends.ts';
import * as reference from '../test/float64-reference.ts';
import { createRandom, offsetsOf, randomFloats, randomIds } from '../test/random-arrays.ts';

const none = { rate: 0, seed: 0 };

/** Native value against the double-precision one, native gradients against finite differences, on every instruction set. */
function expectExact(
  inputs: readonly ArrayInput[],
  native: (...tensors: Tensor[]) => Tensor,
  exact: (...inputs: reference.Matrix[]) => reference.Matrix,
): void {
  const matrices = inputs.map(({ shape, values }) =>
    reference.matrix(shape.length === 2 ? shape[0] : 1, shape[shape.length - 1], values),
  );
  const value = exact(...matrices).values;
  const weights = randomFloats(createRandom(99), value.length);
  const gradients = reference.finiteDifferences(matrices, weights, exact);
  for (const configuration of configurations()) {
    configure(configuration);
    const got = evaluateOn('native', inputs, native);
    expect(relativeDifference(got.value, value)).toBeLessThan(2e-6);
    got.gradients.forEach((gradient, i) => {
      expect(relativeDifference(gradient, gradients[i])).toBeLessThan(1e-5);
    });
  }
}

describe.each(Array.from({ length: 8 }, (_, seed) => seed))('random sizes, seed %i', (seed) => {
  const random = createRandom(seed);
  const upTo = (n: number) => 1 + Math.floor(random() * n);
  const array = (...shape: number[]): ArrayInput => ({
    shape,
    values: randomFloats(
      random,
      shape.reduce((size, n) => size * n, 1),
      0.7,
    ),
  });
  const dropout = seed % 2 ? { rate: 0.25, seed: seed * 7919 } : none;
  const lengths = Array.from({ length: upTo(4) }, () => upTo(seed === 3 ? 24 : 6) - 1);
  const offsets = offsetsOf(lengths);
  const size = offsets[lengths.length];

  test('embed', () => {
    const [rows, width] = [upTo(9), upTo(20)];
    const ids = randomIds(random, size, 0, rows);
    const positions = randomIds(random, size, 0, 5);
    expectExact(
      [array(rows, width), array(5, width)],
      (table, positionTable) =>
        embed(table as Tensor2D, ids, { positionTable: positionTable as Tensor2D, positions, scale: 2, dropout }),
      (table, positionTable) => reference.embed(table, positionTable, ids, positions, 2, dropout),
    );
  });

  test('gatherRows, scatterRows and residualAdd', () => {
    const [rows, width] = [upTo(9), upTo(20)];
    const ids = randomIds(random, size, 0, rows);
    expectExact(
      [array(rows, width)],
      (x) => gatherRows(x as Tensor2D, ids),
      (x) => reference.gatherRows(x, ids),
    );
    expectExact(
      [array(size, width)],
      (x) => scatterRows(x as Tensor2D, ids, rows),
      (x) => reference.scatterRows(x, ids, rows),
    );
    expectExact(
      [array(size, width), array(size, width)],
      (x, residual) => residualAdd(x as Tensor2D, residual as Tensor2D, dropout),
      (x, residual) => reference.residualAdd(x, residual, dropout),
    );
  });

  test('matrix products in all transposes', () => {
    const [m, k, n] = [upTo(20), upTo(20), upTo(20)];
    for (const [transposeA, transposeB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      expectExact(
        [transposeA ? array(k, m) : array(m, k), transposeB ? array(n, k) : array(k, n)],
        (a, b) => tf.matMul(a as Tensor2D, b as Tensor2D, transposeA, transposeB),
        (a, b) => reference.product(transposeA ? reference.transpose(a) : a, transposeB ? reference.transpose(b) : b),
      );
    }
  });

  test('linear', () => {
    const [rows, inputs, outputs] = [upTo(30), upTo(20), upTo(20)];
    const activation = (['none', 'gelu', 'silu', 'tanh', 'sigmoid'] as const)[seed % 5];
    expectExact(
      [array(rows, inputs), array(inputs, outputs), array(outputs)],
      (x, w, b) => linear(x as Tensor2D, w as Tensor2D, b as Tensor1D, activation as Activation),
      (x, w, b) => reference.linear(x, w, b, activation),
    );
  });

  test('residualNorm', () => {
    const [rows, width] = [upTo(8), 1 + upTo(20)];
    const kind = seed % 3 ? 'layer' : 'rms';
    expectExact(
      [array(rows, width), array(width), array(width), array(rows, width)],
      (x, gamma, beta, residual) =>
        residualNorm(x as Tensor2D, gamma as Tensor1D, {
          beta: beta as Tensor1D,
          residual: residual as Tensor2D,
          kind,
          epsilon: 0.1,
          dropout,
        }),
      (x, gamma, beta, residual) => reference.residualNorm(x, gamma, beta, residual, kind, 0.1, dropout),
    );
  });

  test('jaggedAttention', () => {
    const numHeads = upTo(3);
    const width = numHeads * upTo(7);
    const causal = seed % 4 !== 0;
    expectExact(
      [array(size, width), array(size, width), array(size, width)],
      (q, k, v) => jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, { numHeads, causal, dropout }),
      (q, k, v) => reference.attention(q, k, v, offsets, numHeads, causal, dropout),
    );
  });

  test.each(['softmax', 'silu'] as const)('jaggedAttention: %s with mask and bias by distance', (kind) => {
    const numHeads = upTo(3);
    const width = numHeads * upTo(7);
    const causal = seed % 2 === 0;
    const mask = randomIds(
      random,
      lengths.reduce((sum, length) => sum + length ** 2, 0),
      0,
      3,
    );
    const extras = { mask: seed % 3 ? Uint8Array.from(mask) : undefined, kind };
    const bias = array(2 * upTo(seed) - 1, numHeads);
    const [query, key, value] = [array(size, width), array(size, width), array(size, width)];
    expectExact(
      [query, key, value, bias],
      (q, k, v, relativeBias) =>
        jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, {
          ...extras,
          numHeads,
          causal,
          dropout,
          relativeBias: relativeBias as Tensor2D,
        }),
      (q, k, v, relativeBias) =>
        reference.attention(q, k, v, offsets, numHeads, causal, dropout, { ...extras, relativeBias }),
    );
  });

  test('jaggedAttention: scores by distance and by kind of pair', () => {
    const numHeads = upTo(3);
    const width = numHeads * upTo(7);
    const causal = seed % 2 === 0;
    const numPairs = lengths.reduce((sum, length) => sum + length ** 2, 0);
    const numKinds = upTo(5);
    const kinds = Uint8Array.from(randomIds(random, numPairs, 0, numKinds));
    expectExact(
      [
        ...Array.from({ length: 4 }, () => array(size, width)),
        array(2 * upTo(seed + 1) - 1, width),
        array(numKinds, numHeads),
      ],
      (q, k, v, relativeQuery, relativeKeys, table) =>
        jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, {
          numHeads,
          causal,
          dropout,
          relative: { query: relativeQuery as Tensor2D, keys: relativeKeys as Tensor2D },
          pairBias: { table: table as Tensor2D, kinds },
        }),
      (q, k, v, query, keys, table) =>
        reference.attention(q, k, v, offsets, numHeads, causal, dropout, {
          relative: { query, keys },
          pairBias: { table, kinds },
        }),
    );
  });

  test('linearRecurrence', () => {
    const width = upTo(9);
    expectExact(
      [array(size, 2 * width), array(2, width)],
      (x, decay) => linearRecurrence(x as Tensor2D, offsets, decay as Tensor2D),
      (x, decay) => reference.linearRecurrence(x, offsets, decay),
    );
  });

  test('rankOfTarget and topK order the catalogue as double precision does', () => {
    const [rows, items, width] = [upTo(12) - 1, 3 + upTo(60), upTo(20)];
    const [hidden, table] = [array(rows, width), array(items, width)];
    const targetIds = randomIds(random, rows, 3, items);
    const excluded = {
      offsets: Int32Array.from({ length: rows + 1 }, (_, n) => n),
      itemIds: randomIds(random, rows, 3, items),
    };
    const exact = reference.scores(
      reference.matrix(rows, width, hidden.values),
      reference.matrix(items, width, table.values),
      3,
    );
    const k = upTo(items - 3);
    for (const configuration of configurations()) {
      configure(configuration);
      tf.setBackend('native');
      tf.tidy(() => {
        const h = tf.tensor2d(hidden.values.slice(), [rows, width]);
        const t = tf.tensor2d(table.values.slice(), [items, width]);
        const ranks = rankOfTarget(h, t, targetIds);
        const best = topK(h, t, k, { excluded });
        exact.forEach((scores, n) => {
          const own = scores[targetIds[n] - 3];
          expect(ranks[n]).toBe(scores.filter((score) => score >= own).length);
          const allowed = [...scores.keys()].filter((v) => v + 3 !== excluded.itemIds[n]);
          const order = allowed.sort((a, b) => scores[b] - scores[a]).slice(0, k);
          const row = [...best.itemIds.subarray(n * k, n * k + order.length)];
          expect(row).toEqual(order.map((v) => v + 3));
        });
      });
    }
  });

  test('gru', () => {
    const [inputs, width] = [upTo(5), upTo(7)];
    expectExact(
      [array(size, inputs), array(inputs, 3 * width), array(width, 3 * width), array(3 * width), array(3 * width)],
      (x, inputWeights, recurrentWeights, inputBias, recurrentBias) =>
        gru(x as Tensor2D, offsets, {
          inputWeights: inputWeights as Tensor2D,
          recurrentWeights: recurrentWeights as Tensor2D,
          inputBias: inputBias as Tensor1D,
          recurrentBias: recurrentBias as Tensor1D,
        }),
      (x, w, u, b, c) => reference.gru(x, offsets, w, u, b, c),
    );
  });

  test('softmaxHead', () => {
    const [rows, items, width] = [upTo(12), 3 + upTo(40), upTo(12)];
    const targetIds = randomIds(random, rows, 3, items);
    const [temperature, labelSmoothing] = seed % 2 ? [1, 0] : [0.7, 0.2];
    expectExact(
      [array(rows, width), array(items, width), array(items)],
      (hidden, table, bias) =>
        softmaxHead(hidden as Tensor2D, table as Tensor2D, targetIds, {
          bias: bias as Tensor1D,
          temperature,
          labelSmoothing,
        }),
      (hidden, table, bias) => reference.softmaxHead(hidden, table, bias, targetIds, 3, temperature, labelSmoothing),
    );
  });

  test.each(['softmax', 'bce', 'gbce', 'bpr', 'bprMax', 'top1', 'top1Max'] as const)('sampledHead %s', (form) => {
    const [rows, items, width, numNegatives] = [1 + upTo(11), 5 + upTo(20), upTo(20), upTo(35)];
    const targetIds = randomIds(random, rows, 3, items);
    const isShared = seed % 2 === 0;
    const negativeIds = randomIds(random, isShared ? numNegatives : rows * numNegatives, 3, items);
    const logQ = { targets: array(rows).values, negatives: array(negativeIds.length).values };
    const samplingRate = Math.min(1, numNegatives / (items - 4));
    const settings = {
      form,
      negativeIds,
      numNegatives,
      targetLogQ: logQ.targets,
      negativeLogQ: logQ.negatives,
      positivePower: form === 'gbce' ? samplingRate * (0.6 * (1 - 1 / samplingRate) + 1 / samplingRate) : 1,
      bpreg: 0.3,
      elu: seed % 3 === 0 ? 0.4 : 0,
      tanh: seed % 3 === 1,
    };
    expectExact(
      [array(rows, width), array(items, width), array(items)],
      (hidden, table, bias) =>
        sampledHead(hidden as Tensor2D, table as Tensor2D, targetIds, {
          negatives: isShared ? { shared: negativeIds } : { own: negativeIds },
          form,
          bias: bias as Tensor1D,
          logQ,
          calibration: 0.6,
          bpreg: 0.3,
          elu: settings.elu,
          tanh: settings.tanh,
        }),
      (hidden, table, bias) => reference.sampledHead(hidden, table, bias, targetIds, settings),
    );
  });
});
