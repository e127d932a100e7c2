import {
  dropout,
  embed,
  gatherRows,
  gru,
  linear,
  linearRecurrence,
  residualAdd,
  residualNorm,
  sampledHead,
  scatterRows,
  softmaxHead,
} from '@nimue/ops';
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import {
  type ArrayInput,
  configurations,
  configure,
  evaluateOn,
  expectAgreement,
  relativeDifference,
} from '../test/compare-backends.ts';
import { createRandom, offsetsOf, randomFloats, randomIds } from '../test/random-arrays.ts';

const random = createRandom(7);
const array = (shape: number[], spread = 1): ArrayInput => ({
  shape,
  values: randomFloats(
    random,
    shape.reduce((size, n) => size * n, 1),
    spread,
  ),
});
const drop = { rate: 0.3, seed: 12345 };
const none = { rate: 0, seed: 0 };

describe('rows', () => {
  test.each([
    [0, 4, 5],
    [1, 1, 1],
    [7, 3, 5],
    [100, 40, 33],
    [270, 20, 64],
  ])('%i of %i rows of width %i', (count, rows, width) => {
    const ids = randomIds(random, count, 0, rows);
    const positions = randomIds(random, count, 0, 9);
    expectAgreement([array([rows, width])], (x) => gatherRows(x as Tensor2D, ids));
    expectAgreement([array([count, width])], (x) => scatterRows(x as Tensor2D, ids, rows));
    for (const dropout of [none, drop]) {
      expectAgreement([array([rows, width]), array([9, width])], (table, positionTable) =>
        embed(table as Tensor2D, ids, { positionTable: positionTable as Tensor2D, positions, scale: 1.5, dropout }),
      );
      expectAgreement([array([rows, width])], (table) => embed(table as Tensor2D, ids, { dropout }));
      expectAgreement([array([count, width]), array([count, width])], (x, residual) =>
        residualAdd(x as Tensor2D, residual as Tensor2D, dropout),
      );
    }
    expectAgreement([array([count, width])], (x) => dropout(x as Tensor2D, drop));
  });
});

describe('linearRecurrence', () => {
  test.each([
    ['no session', [], 3],
    ['empty sessions', [0, 2, 0, 1], 1],
    ['odd width', [3, 1, 16, 17, 2, 5, 1, 1, 1, 4], 21],
    ['one long session', [200], 16],
    ['lane-wide', [40, 3], 64],
  ] as const)('%s', (_name, lengths, size) => {
    const offsets = offsetsOf(lengths);
    const decay = { shape: [2, size], values: randomFloats(random, 2 * size, 0.6) };
    expectAgreement([array([offsets[lengths.length], 2 * size]), decay], (x, decay) =>
      linearRecurrence(x as Tensor2D, offsets, decay as Tensor2D),
    );
  });
});

describe('residualNorm', () => {
  test.each([
    [0, 4],
    [1, 1],
    [5, 7],
    [300, 33],
    [100, 64],
  ])('%i × %i', (rows, width) => {
    for (const kind of ['layer', 'rms'] as const) {
      if (width === 1 && kind === 'layer') continue; // the variance is 0: the gradient is rounding only
      for (const dropout of [none, drop]) {
        expectAgreement(
          [array([rows, width]), array([width]), array([width]), array([rows, width])],
          (x, gamma, beta, residual) =>
            residualNorm(x as Tensor2D, gamma as Tensor1D, {
              beta: beta as Tensor1D,
              residual: residual as Tensor2D,
              kind,
              dropout,
              epsilon: 1e-5,
            }),
          5e-5,
        );
        expectAgreement(
          [array([rows, width]), array([width])],
          (x, gamma) => residualNorm(x as Tensor2D, gamma as Tensor1D, { kind, dropout, epsilon: 1e-5 }),
          5e-5,
        );
      }
    }
  });
});

describe('linear', () => {
  test.each([
    [0, 3, 4],
    [1, 1, 1],
    [5, 7, 3],
    [130, 33, 65],
    [1100, 20, 16],
    [20, 700, 9],
  ])('%i × %i → %i', (rows, inputs, outputs) => {
    const all = ['relu', 'gelu', 'silu', 'tanh', 'sigmoid', 'none'] as const;
    for (const activation of rows > 200 ? all.slice(0, 1) : all) {
      const spread = 1 / Math.sqrt(inputs);
      expectAgreement(
        [array([rows, inputs]), array([inputs, outputs], spread), array([outputs])],
        (x, weights, bias) => linear(x as Tensor2D, weights as Tensor2D, bias as Tensor1D, activation),
        1e-4,
      );
    }
    expectAgreement([array([rows, inputs]), array([inputs, outputs])], (x, weights) =>
      linear(x as Tensor2D, weights as Tensor2D),
    );
  });
});

describe('gru', () => {
  test.each([
    ['no event', [0, 0], 2, 3],
    ['one event', [1], 1, 1],
    ['mixed lengths', [3, 0, 7, 1, 1, 2], 5, 7],
    ['many sessions', Array.from({ length: 60 }, (_, b) => b % 9), 16, 20],
    ['wide', [5, 9, 2], 33, 48],
  ] as const)('%s', (_name, lengths, inputs, width) => {
    const offsets = offsetsOf(lengths);
    const size = offsets[lengths.length];
    expectAgreement(
      [
        array([size, inputs]),
        array([inputs, 3 * width], 0.3),
        array([width, 3 * width], 0.3),
        array([3 * width]),
        array([3 * width]),
      ],
      (x, inputWeights, recurrentWeights, inputBias, recurrentBias) =>
        gru(x as Tensor2D, offsets, {
          inputWeights: inputWeights as Tensor2D,
          recurrentWeights: recurrentWeights as Tensor2D,
          inputBias: inputBias as Tensor1D,
          recurrentBias: recurrentBias as Tensor1D,
        }),
      1e-4,
    );
  });
});

describe('softmaxHead', () => {
  test.each([
    [0, 10, 4],
    [1, 4, 1],
    [3, 4, 5],
    [50, 130, 33],
    [200, 400, 9],
    [20, 2100, 5],
    [230, 130, 32],
  ])('%i rows, table %i × %i', (rows, items, width) => {
    const targets = randomIds(random, rows, 3, items);
    for (const [temperature, labelSmoothing] of [
      [1, 0],
      [0.5, 0.1],
    ]) {
      const options = { temperature, labelSmoothing };
      const inputs = [array([rows, width]), array([items, width]), array([items])];
      expectAgreement(
        inputs,
        (hidden, table, bias) =>
          softmaxHead(hidden as Tensor2D, table as Tensor2D, targets, { ...options, bias: bias as Tensor1D }),
        2e-5,
      );
      expectAgreement(
        inputs.slice(0, 2),
        (hidden, table) => softmaxHead(hidden as Tensor2D, table as Tensor2D, targets, options),
        2e-5,
      );
    }
  });
});

describe('sampledHead', () => {
  const FORMS = ['softmax', 'bce', 'gbce', 'bpr', 'bprMax', 'top1', 'top1Max'] as const;

  test.each([
    [0, 5, 4, 3],
    [1, 4, 1, 1],
    [3, 5, 5, 7],
    [70, 40, 33, 17],
    [130, 300, 16, 64],
  ])('%i rows, table %i × %i, %i negatives', (rows, items, width, numNegatives) => {
    const targets = randomIds(random, rows, 3, items);
    const shared = randomIds(random, numNegatives, 3, items);
    const own = randomIds(random, rows * numNegatives, 3, items);
    const excluded = {
      offsets: Int32Array.from({ length: rows + 1 }, (_, n) => 2 * n),
      itemIds: randomIds(random, 2 * rows, 3, items),
    };
    const spread = 1 / Math.sqrt(width);
    for (const form of FORMS) {
      expectAgreement([array([rows, width]), array([items, width], spread)], (hidden, table) =>
        sampledHead(hidden as Tensor2D, table as Tensor2D, targets, { negatives: { shared }, form, elu: 0.5 }),
      );
      for (const negatives of [{ shared }, { shared, excluded }, { own }]) {
        const logQ = {
          targets: array([rows]).values,
          negatives: array(['own' in negatives ? own.length : shared.length]).values,
        };
        expectAgreement([array([rows, width]), array([items, width], spread), array([items])], (hidden, table, bias) =>
          sampledHead(hidden as Tensor2D, table as Tensor2D, targets, {
            negatives,
            form,
            bias: bias as Tensor1D,
            logQ,
            tanh: true,
          }),
        );
      }
    }
  });

  test('more logits than are held at a time: like two calls on a half of the rows each', () => {
    const [rows, items, width] = [1200, 50, 3];
    const targets = randomIds(random, rows, 3, items);
    const shared = randomIds(random, 4096, 3, items);
    const hidden = array([rows, width]);
    const rest = [array([items, width]), array([items])];
    const part = (from: number, to: number) =>
      evaluateOn(
        'native',
        [{ shape: [to - from, width], values: hidden.values.slice(from * width, to * width) }, ...rest],
        (hidden, table, bias) =>
          sampledHead(hidden as Tensor2D, table as Tensor2D, targets.slice(from, to), {
            negatives: { shared },
            bias: bias as Tensor1D,
          }),
      );
    for (const configuration of configurations()) {
      configure(configuration);
      const [whole, first, second] = [part(0, rows), part(0, rows / 2), part(rows / 2, rows)];
      const mean = (a: Float32Array, b: Float32Array) => a.map((x, i) => (x + b[i]) / 2);
      expect(relativeDifference(whole.value, mean(first.value, second.value))).toBeLessThan(1e-5);
      const [dHidden, ...dRest] = whole.gradients;
      const halves = [...first.gradients[0], ...second.gradients[0]].map((x) => x / 2);
      expect(relativeDifference(dHidden, halves)).toBeLessThan(1e-5);
      dRest.forEach((gradient, i) => {
        const expected = mean(first.gradients[i + 1], second.gradients[i + 1]);
        expect(relativeDifference(gradient, expected)).toBeLessThan(1e-5);
      });
    }
  });

  test('many rows', () => {
    const targets = randomIds(random, 1100, 3, 60);
    const shared = randomIds(random, 33, 3, 60);
    expectAgreement([array([1100, 8]), array([60, 8], 0.3)], (hidden, table) =>
      sampledHead(hidden as Tensor2D, table as Tensor2D, targets, { negatives: { shared } }),
    );
  });

  test.each(FORMS)('%s of enormous scores is finite', (form) => {
    const options = { negatives: { shared: Int32Array.of(3, 4, 5) }, form, bpreg: 0 };
    const hidden = { shape: [2, 1], values: Float32Array.of(300, -300) };
    const table = { shape: [6, 1], values: Float32Array.of(9, 9, 9, 0, 0.5, 1) };
    expectAgreement([hidden, table], (hidden, table) =>
      sampledHead(hidden as Tensor2D, table as Tensor2D, Int32Array.of(3, 5), options),
    );
  });

  test('a hidden value that is not a number makes a loss that is none', () => {
    for (const form of FORMS) {
      for (const configuration of configurations()) {
        configure(configuration);
        const inputs = [{ shape: [1, 1], values: Float32Array.of(Number.NaN) }, array([5, 1])];
        const { value } = evaluateOn('native', inputs, (hidden, table) =>
          sampledHead(hidden as Tensor2D, table as Tensor2D, Int32Array.of(3), {
            negatives: { shared: Int32Array.of(4) },
            form,
          }),
        );
        expect(value[0]).toBeNaN();
      }
    }
  });
});
