import { jaggedAttention } from '@nimue/ops';
import type { Tensor2D } from '@tensorflow/tfjs';
import { type ArrayInput, expectAgreement } from '../test/compare-backends.ts';
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

describe('jaggedAttention', () => {
  test.each([
    ['no session', [], 4, 1],
    ['one event', [1], 3, 1],
    ['empty sessions', [0, 2, 0, 1], 5, 1],
    ['short sessions', [3, 1, 16, 17, 2], 8, 2],
    ['odd width', [20, 5, 33], 21, 3],
    ['one long session', [110], 16, 1],
    ['lane-wide heads', [40, 3], 64, 4],
  ] as const)('%s', (_name, lengths, width, numHeads) => {
    const offsets = offsetsOf(lengths);
    const size = offsets[lengths.length];
    for (const causal of [true, false]) {
      for (const dropout of [none, drop]) {
        expectAgreement(
          [array([size, width]), array([size, width]), array([size, width])],
          (q, k, v) =>
            jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, { causal, numHeads, dropout }),
          5e-5,
        );
      }
    }
    const numPairs = (lengths as readonly number[]).reduce((sum, length) => sum + length ** 2, 0);
    const mask = Uint8Array.from(randomIds(random, numPairs, 0, 2));
    const inputs = [array([size, width]), array([size, width]), array([size, width])];
    for (const [causal, dropout] of [
      [true, none],
      [false, drop],
    ] as const) {
      const options = { causal, numHeads, dropout };
      expectAgreement(
        inputs,
        (q, k, v) => jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, { ...options, mask }),
        5e-5,
      );
      for (const [kind, reach, visible] of [
        ['softmax', 0, undefined],
        ['softmax', 40, mask],
        ['silu', 3, mask],
      ] as const) {
        expectAgreement(
          [...inputs, array([2 * reach + 1, numHeads])],
          (q, k, v, relativeBias) =>
            jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, {
              ...options,
              mask: visible,
              kind,
              relativeBias: relativeBias as Tensor2D,
            }),
          5e-5,
        );
      }
      for (const [reach, visible] of [
        [0, undefined],
        [2, mask],
        [200, undefined],
      ] as const) {
        expectAgreement(
          [...inputs, array([size, width]), array([2 * reach + 1, width])],
          (q, k, v, query, keys) =>
            jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, {
              ...options,
              mask: visible,
              relative: { query: query as Tensor2D, keys: keys as Tensor2D },
            }),
          5e-5,
        );
      }
      const kinds = Uint8Array.from(randomIds(random, numPairs, 0, 4));
      for (const kind of ['softmax', 'silu'] as const) {
        expectAgreement(
          [...inputs, array([4, numHeads])],
          (q, k, v, table) =>
            jaggedAttention(q as Tensor2D, k as Tensor2D, v as Tensor2D, offsets, {
              ...options,
              kind,
              pairBias: { table: table as Tensor2D, kinds },
            }),
          5e-5,
        );
      }
    }
  });
});
