import { assertClose, createRandom, randomFloats } from '@nimue/testing';
import type { Scalar, Tensor1D, Tensor2D, Variable } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { REFERENCE_BACKENDS, useBackend } from '../test/backends.ts';
import {
  adagrad,
  clipByGlobalNorm,
  embed,
  gatherRows,
  gradientsByRows,
  type ParameterGradient,
  sampledHead,
  sgd,
  softmaxHead,
} from './index.ts';
import { distinctRows } from './row-gradients.ts';

test('distinct rows, once each, and every list as places in them; nothing is remembered between calls', () => {
  for (let turn = 0; turn < 2; turn++) {
    const { rows, places } = distinctRows([Int32Array.of(5, 2, 5), Int32Array.of(), Int32Array.of(2, 0)], 6);
    expect([...rows]).toEqual([5, 2, 0]);
    expect(places.map((list) => [...list])).toEqual([[0, 1, 0], [], [1, 2]]);
  }
});

describe.each(REFERENCE_BACKENDS)('on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  const [numItems, width] = [9, 3];
  const ids = Int32Array.of(4, 3, 4, 8);
  const targets = Int32Array.of(3, 6, 6, 5);
  const negatives = { shared: Int32Array.of(5, 7, 7) };
  const dropout = { rate: 0.3, seed: 5 };

  function create(): { items: Variable; positions: Variable; bias: Variable } {
    const random = createRandom(3);
    const variable = (...shape: number[]) =>
      tf.tidy(() =>
        tf.variable(
          tf.tensor(
            randomFloats(
              shape.reduce((a, b) => a * b, 1),
              random,
            ),
            shape,
          ),
        ),
      );
    return { items: variable(numItems, width), positions: variable(4, width), bias: variable(numItems) };
  }

  const input = (v: ReturnType<typeof create>, itemIds = ids) =>
    embed(v.items as unknown as Tensor2D, itemIds, {
      positionTable: v.positions as unknown as Tensor2D,
      positions: itemIds.map((_, i) => i % 2),
      scale: 1.5,
      dropout,
    });
  const losses: Record<string, (v: ReturnType<typeof create>) => Scalar> = {
    'looked up once': (v) => tf.sum(tf.square(gatherRows(v.items as unknown as Tensor2D, ids))),
    'looked up, shared negatives with a bias': (v) =>
      sampledHead(input(v), v.items as unknown as Tensor2D, targets, {
        negatives,
        bias: v.bias as unknown as Tensor1D,
        form: 'gbce',
      }),
    'looked up, own negatives': (v) =>
      sampledHead(input(v), v.items as unknown as Tensor2D, targets, {
        negatives: { own: Int32Array.of(3, 4, 5, 6, 7, 8, 3, 6) },
        form: 'bprMax',
      }),
    'a softmax over all': (v) => softmaxHead(input(v), v.items as unknown as Tensor2D, targets),
    'no event at all': (v) =>
      tf.add(tf.sum(input(v, Int32Array.of())), tf.sum(gatherRows(v.items as unknown as Tensor2D, ids))),
  };

  test.each(Object.entries(losses))('%s: the dense gradient, row by row; no tensor is left', (name, loss) => {
    const before = tf.memory().numTensors;
    const v = create();
    const variables = Object.values(v);
    const dense = tf.variableGrads(() => loss(v), variables);
    const sparse = gradientsByRows(() => loss(v), variables);
    expect(sparse.value.dataSync()[0]).toBe(dense.value.dataSync()[0]);
    for (const variable of variables) {
      const expected = dense.grads[variable.name]?.dataSync();
      const got = sparse.gradients.get(variable);
      expect(got === undefined).toBe(expected === undefined);
      if (!got || !expected) continue;
      const full = new Float32Array(variable.size);
      const rowSize = variable.size / variable.shape[0];
      const rows = got.rows ?? Int32Array.from({ length: variable.shape[0] }, (_, row) => row);
      expect(new Set(rows).size).toBe(rows.length);
      const values = got.gradient.dataSync();
      rows.forEach((row, i) => {
        full.set(values.slice(i * rowSize, (i + 1) * rowSize), row * rowSize);
      });
      assertClose(name, full, expected, 1e-5);
    }
    const rowsOf = (variable: Variable) => sparse.gradients.get(variable)?.rows;
    if (name === 'a softmax over all') expect(rowsOf(v.items)).toBeUndefined();
    else expect(rowsOf(v.items)?.length).toBeLessThan(numItems - 1);
    tf.dispose([
      dense.value,
      dense.grads,
      sparse.value,
      [...sparse.gradients.values()].map((g) => g.gradient),
      variables,
    ]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('clipped and applied by rows, a step is the dense one: SGD and Adagrad without decay', () => {
    const loss = losses['looked up, shared negatives with a bias'];
    for (const name of ['sgd', 'adagrad'] as const) {
      const results = [false, true].map((byRows) => {
        const v = create();
        const variables = Object.values(v);
        const accumulators = variables.map((variable) => tf.variable(tf.fill(variable.shape, 0.1), false));
        const whole = () => {
          const { value, grads } = tf.variableGrads(() => loss(v), variables);
          return { value, parts: variables.map((x) => ({ gradient: grads[x.name], rows: undefined })) };
        };
        const inRows = () => {
          const { value, gradients } = gradientsByRows(() => loss(v), variables);
          return { value, parts: variables.map((x) => gradients.get(x) as ParameterGradient) };
        };
        const { value, parts } = byRows ? inRows() : whole();
        const clipped = clipByGlobalNorm(
          parts.map((part) => part.gradient),
          0.05,
        );
        variables.forEach((parameter, i) => {
          const step = { parameter, gradient: clipped.gradients[i], learningRate: 0.5, momentum: 0, weightDecay: 0 };
          const rows = parts[i].rows;
          if (name === 'sgd') sgd({ ...step, rows });
          else adagrad({ ...step, rows, accumulator: accumulators[i], epsilon: 1e-6 });
        });
        const values = variables.map((x) => x.dataSync().slice());
        tf.dispose([variables, accumulators, value, [...clipped.gradients]]);
        return { values, norm: clipped.norm };
      });
      expect(results[0].norm).toBeGreaterThan(0.05);
      expect(results[1].norm).toBeCloseTo(results[0].norm, 5);
      results[0].values.forEach((values, i) => {
        assertClose(name, results[1].values[i], values, 1e-5);
      });
    }
  });

  test('an error in the loss leaves no tensor and no collecting behind', () => {
    const v = create();
    const before = tf.memory().numTensors;
    expect(() =>
      gradientsByRows(() => {
        throw new Error('no loss');
      }, [v.items]),
    ).toThrow('no loss');
    expect(tf.memory().numTensors).toBe(before);
    const { grads, value } = tf.variableGrads(() => losses['looked up once'](v), [v.items]);
    expect(grads[v.items.name].shape).toEqual([numItems, width]);
    tf.dispose([grads, value, Object.values(v)]);
  });
});
