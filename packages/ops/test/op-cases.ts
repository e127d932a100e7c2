import { createRandom, offsetsOf, randomFloats, randomIntegers } from '@nimue/testing';
import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs';
import {
  dropout,
  embed,
  gatherRows,
  gru,
  jaggedAttention,
  linear,
  linearRecurrence,
  residualAdd,
  residualNorm,
  sampledHead,
  scatterRows,
  softmaxHead,
} from '../src/ops.ts';

/** One differentiable call: named float inputs and what to do with them. */
export interface OpCase {
  readonly name: string;
  readonly inputs: readonly { readonly values: Float32Array; readonly shape: readonly number[] }[];
  readonly run: (...inputs: Tensor[]) => Tensor;
}

type Shape = readonly number[];

/** Session lengths that have gone wrong somewhere: none, one, empty ones between, one long, many short. */
export const SESSION_LENGTHS: readonly (readonly number[])[] = [[], [1], [3, 0, 1], [7], [2, 1, 4]];

/** Every differentiable op on awkward sizes. */
export function opCases(seed: number): OpCase[] {
  const random = createRandom(seed);
  const input = (shape: Shape, scale = 1) => ({
    values: randomFloats(
      shape.reduce((a, b) => a * b, 1),
      random,
      scale,
    ),
    shape,
  });
  const cases: OpCase[] = [];
  const add = (name: string, shapes: readonly Shape[], run: (...inputs: never[]) => Tensor) =>
    cases.push({ name, inputs: shapes.map((shape) => input(shape)), run: run as OpCase['run'] });
  const drop = { rate: 0.3, seed: 17 };

  for (const numRows of [0, 1, 5]) {
    const ids = randomIntegers(numRows, 0, 6, random);
    add(`gatherRows N=${numRows}`, [[6, 3]], (x: Tensor2D) => gatherRows(x, ids));
    add(`scatterRows N=${numRows}`, [[numRows, 3]], (x: Tensor2D) => scatterRows(x, ids, 6));
    add(`dropout T=${numRows}`, [[numRows, 3]], (x: Tensor2D) => dropout(x, drop));
    add(
      `embed T=${numRows}`,
      [
        [6, 3],
        [4, 3],
      ],
      (table: Tensor2D, positionTable: Tensor2D) =>
        embed(table, ids, { positionTable, positions: ids.map((id) => id % 4), scale: 1.5, dropout: drop }),
    );
    add(`embed without positions T=${numRows}`, [[6, 5]], (table: Tensor2D) => embed(table, ids));
    for (const activation of ['none', 'relu', 'gelu', 'silu', 'tanh', 'sigmoid'] as const) {
      add(`linear ${activation} N=${numRows}`, [[numRows, 3], [3, 5], [5]], (x: Tensor2D, w: Tensor2D, b: Tensor1D) =>
        linear(x, w, b, activation),
      );
    }
    for (const kind of ['layer', 'rms'] as const) {
      add(
        `residualNorm ${kind} T=${numRows}`,
        [[numRows, 5], [5], [5], [numRows, 5]],
        (x: Tensor2D, gamma: Tensor1D, beta: Tensor1D, residual: Tensor2D) =>
          residualNorm(x, gamma, { beta, residual, kind, epsilon: 1e-3, dropout: drop }),
      );
      add(`residualNorm ${kind} alone T=${numRows}`, [[numRows, 5], [5]], (x: Tensor2D, gamma: Tensor1D) =>
        residualNorm(x, gamma, { kind, epsilon: 1e-3 }),
      );
    }
    add(
      `residualAdd T=${numRows}`,
      [
        [numRows, 3],
        [numRows, 3],
      ],
      (x: Tensor2D, residual: Tensor2D) => residualAdd(x, residual, drop),
    );
    const targets = ids.map((id) => 3 + (id % 4));
    add(
      `softmaxHead N=${numRows}`,
      [
        [numRows, 3],
        [7, 3],
      ],
      (hidden: Tensor2D, table: Tensor2D) => softmaxHead(hidden, table, targets),
    );
    add(
      `softmaxHead bias, smoothing, temperature N=${numRows}`,
      [[numRows, 3], [7, 3], [7]],
      (hidden: Tensor2D, table: Tensor2D, bias: Tensor1D) =>
        softmaxHead(hidden, table, targets, { bias, labelSmoothing: 0.2, temperature: 0.7 }),
    );
  }
  for (const numRows of [0, 1, 5]) {
    const targets = randomIntegers(numRows, 3, 9, random);
    for (const form of ['softmax', 'bce', 'gbce', 'bpr', 'bprMax', 'top1', 'top1Max'] as const) {
      for (const numNegatives of [1, 5]) {
        const label = `sampledHead ${form} N=${numRows} K=${numNegatives}`;
        // Drawn with repeats from few items: some negatives are the row's target.
        const shared = randomIntegers(numNegatives, 3, 9, random);
        const own = randomIntegers(numRows * numNegatives, 3, 9, random);
        const logQ = {
          targets: randomFloats(numRows, random),
          negatives: randomFloats(numRows * numNegatives, random),
        };
        add(
          `${label} shared`,
          [
            [numRows, 3],
            [9, 3],
          ],
          (hidden: Tensor2D, table: Tensor2D) => sampledHead(hidden, table, targets, { negatives: { shared }, form }),
        );
        add(
          `${label} own, bias, logQ`,
          [[numRows, 3], [9, 3], [9]],
          (hidden: Tensor2D, table: Tensor2D, bias: Tensor1D) =>
            sampledHead(hidden, table, targets, { negatives: { own }, form, bias, logQ, elu: 0.7 }),
        );
      }
    }
  }
  for (const lengths of SESSION_LENGTHS) {
    const offsets = offsetsOf(lengths);
    const total = offsets[lengths.length];
    const qkv: Shape[] = [
      [total, 6],
      [total, 6],
      [total, 6],
    ];
    add(
      `linearRecurrence lengths=[${lengths}]`,
      [
        [total, 6],
        [2, 3],
      ],
      (x: Tensor2D, decay: Tensor2D) => linearRecurrence(x, offsets, decay),
    );
    for (const numHeads of [1, 3]) {
      for (const causal of [true, false]) {
        const label = `H=${numHeads} ${causal ? 'causal' : 'both ways'} lengths=[${lengths}]`;
        add(`jaggedAttention ${label}`, qkv, (q: Tensor2D, k: Tensor2D, v: Tensor2D) =>
          jaggedAttention(q, k, v, offsets, { numHeads, causal }),
        );
        add(`jaggedAttention dropout ${label}`, qkv, (q: Tensor2D, k: Tensor2D, v: Tensor2D) =>
          jaggedAttention(q, k, v, offsets, { numHeads, causal, dropout: drop }),
        );
        const numPairs = lengths.reduce((sum, length) => sum + length * length, 0);
        const mask = Uint8Array.from(randomIntegers(numPairs, 0, 2, random));
        const both: Shape[] = [...qkv, [5, numHeads]];
        add(`jaggedAttention mask ${label}`, qkv, (q: Tensor2D, k: Tensor2D, v: Tensor2D) =>
          jaggedAttention(q, k, v, offsets, { numHeads, causal, mask }),
        );
        add(
          `jaggedAttention by distance, mask, dropout ${label}`,
          [...qkv, [total, 6], [3, 6]],
          (q: Tensor2D, k: Tensor2D, v: Tensor2D, query: Tensor2D, keys: Tensor2D) =>
            jaggedAttention(q, k, v, offsets, { numHeads, causal, mask, relative: { query, keys }, dropout: drop }),
        );
        const kinds = Uint8Array.from(randomIntegers(numPairs, 0, 3, random));
        add(
          `jaggedAttention by kinds of pairs ${label}`,
          [...qkv, [3, numHeads]],
          (q: Tensor2D, k: Tensor2D, v: Tensor2D, table: Tensor2D) =>
            jaggedAttention(q, k, v, offsets, { numHeads, causal, pairBias: { table, kinds }, kind: 'silu' }),
        );
        for (const kind of ['softmax', 'silu'] as const) {
          add(
            `jaggedAttention ${kind} mask, bias, dropout ${label}`,
            both,
            (q: Tensor2D, k: Tensor2D, v: Tensor2D, relativeBias: Tensor2D) =>
              jaggedAttention(q, k, v, offsets, { numHeads, causal, mask, relativeBias, kind, dropout: drop }),
          );
        }
      }
    }
    add(
      `gru lengths=[${lengths}]`,
      [[total, 3], [3, 12], [4, 12], [12], [12]],
      (x: Tensor2D, inputWeights: Tensor2D, recurrentWeights: Tensor2D, inputBias: Tensor1D, recurrentBias: Tensor1D) =>
        gru(x, offsets, { inputWeights, recurrentWeights, inputBias, recurrentBias }),
    );
  }
  // After all others, so that their numbers stay as they are: of bprMax, none lies within a step of the kink of its unit.
  for (const numRows of [0, 1, 5]) {
    const targets = randomIntegers(numRows, 3, 9, random);
    // Row n leaves out item 3 + n mod 6, once or several times in the list or not at all, and the even rows item 8 too.
    const lists = Array.from({ length: numRows }, (_, n) => (n % 2 === 0 ? [3 + (n % 6), 8] : [3 + (n % 6)]));
    const offsets = offsetsOf(lists.map(({ length }) => length));
    const excluded = { offsets, itemIds: Int32Array.from(lists.flat()) };
    for (const form of ['softmax', 'bce', 'gbce', 'bpr', 'bprMax', 'top1', 'top1Max'] as const) {
      for (const numNegatives of [1, 5]) {
        const shared = randomIntegers(numNegatives, 3, 9, random);
        add(
          `sampledHead ${form} N=${numRows} K=${numNegatives} shared, excluded`,
          [
            [numRows, 3],
            [9, 3],
          ],
          (hidden: Tensor2D, table: Tensor2D) =>
            sampledHead(hidden, table, targets, { negatives: { shared, excluded }, form }),
        );
      }
    }
  }
  return cases;
}
