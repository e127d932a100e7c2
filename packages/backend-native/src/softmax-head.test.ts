import { softmaxHead } from '@nimue/ops';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import {
  type ArrayInput,
  configurations,
  configure,
  type Evaluation,
  evaluateOn,
  sameBits,
} from '../test/compare-backends.ts';
import { createRandom, randomFloats, randomIds } from '../test/random-arrays.ts';

const random = createRandom(23);
const array = (rows: number, columns: number, spread: number): ArrayInput => ({
  shape: [rows, columns],
  values: randomFloats(random, rows * columns, spread),
});

/** Largest |a − b| over the largest |b|: gradients of a mean over many rows are small numbers themselves. */
function differenceBySize(a: Float32Array, b: Float32Array): number {
  const size = b.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  return a.reduce((max, x, i) => Math.max(max, Math.abs(x - b[i])), 0) / size;
}

function parts({ value, gradients }: Evaluation): Float32Array[] {
  return [value, ...gradients];
}

describe('softmaxHead with logits near and beyond the range of e^z', () => {
  // |hidden| · |item| up to about 20, 60, 90 and 3,000: without a shift, at its limit, and with the token's maximum.
  test.each([
    [1.5, 1e-5],
    [2.6, 1e-5],
    [3.2, 1e-5],
    [19, 1e-4],
  ])('entries up to %d', (spread, tolerance) => {
    const targets = randomIds(random, 70, 3, 190);
    const inputs = [array(70, 16, spread), array(190, 16, spread)];
    const op = (hidden: Tensor, table: Tensor) =>
      softmaxHead(hidden as Tensor2D, table as Tensor2D, targets, { labelSmoothing: 0.1 });
    const expected = parts(evaluateOn('cpu', inputs, op as (...t: Tensor[]) => Tensor));
    for (const configuration of configurations()) {
      configure(configuration);
      const got = parts(evaluateOn('native', inputs, op as (...t: Tensor[]) => Tensor));
      got.forEach((part, i) => {
        expect(differenceBySize(part, expected[i])).toBeLessThan(tolerance);
      });
    }
  });

  test('a logit that is no number gives a loss that is none', () => {
    const table = array(40, 4, 1);
    table.values[4 * 7] = Number.NaN;
    for (const configuration of configurations()) {
      configure(configuration);
      const { value } = evaluateOn('native', [array(3, 4, 1), table], (hidden, items) =>
        softmaxHead(hidden as Tensor2D, items as Tensor2D, Int32Array.of(3, 4, 5)),
      );
      expect(value[0]).toBeNaN();
    }
  });
});

test('a catalogue whose exponentials are computed twice gives what small blocks with kept ones give', () => {
  // 52,000 items × 288 tokens exceed the memory for exponentials; 100 tokens at a time do not.
  // Sixteen pieces: a power of two, so that the loss scale rounds to the same bfloat16 numbers.
  const [rows, items, width, pieces] = [1600, 52_003, 5, 16];
  const [hidden, table] = [array(rows, width, 1), array(items, width, 1)];
  const targets = randomIds(random, rows, 3, items);
  const evaluate = (from: number, to: number, precision: 'float32' | 'bfloat16'): Float32Array[] => {
    tf.setBackend('native');
    const h = tf.tensor2d(hidden.values.slice(from * width, to * width), [to - from, width]);
    const w = tf.tensor2d(table.values.slice(), [items, width]);
    const result = tf.valueAndGrads((a: Tensor, b: Tensor) =>
      softmaxHead(a as Tensor2D, b as Tensor2D, targets.subarray(from, to), { precision }),
    )([h, w]);
    const data = [result.value, ...result.grads].map((t) => t.dataSync() as Float32Array);
    tf.dispose([h, w, result.value, result.grads]);
    return data;
  };
  const isas = [...new Set(configurations().map(({ isa }) => isa))];
  for (const isa of isas) {
    for (const precision of ['float32', 'bfloat16'] as const) {
      configure({ isa, threads: 2 });
      const whole = evaluate(0, rows, precision);
      configure({ isa, threads: 1 });
      const again = evaluate(0, rows, precision);
      expect(sameBits(toEvaluation(whole), toEvaluation(again))).toBe(true);
      const expected = [new Float32Array(1), new Float32Array(rows * width), new Float32Array(items * width)];
      const step = rows / pieces;
      for (let piece = 0; piece < pieces; piece++) {
        const [loss, dHidden, dTable] = evaluate(piece * step, (piece + 1) * step, precision);
        expected[0][0] += loss[0] / pieces;
        for (let i = 0; i < dHidden.length; i++) expected[1][piece * step * width + i] = dHidden[i] / pieces;
        for (let i = 0; i < dTable.length; i++) expected[2][i] += dTable[i] / pieces;
      }
      const tolerance = precision === 'float32' ? 1e-5 : 1e-4;
      whole.forEach((part, i) => {
        expect(differenceBySize(part, expected[i])).toBeLessThan(tolerance);
      });
    }
  }
});

function toEvaluation([value, ...gradients]: Float32Array[]): Evaluation {
  return { value, gradients };
}
