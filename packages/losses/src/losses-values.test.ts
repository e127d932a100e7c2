import { readFileSync } from 'node:fs';
import { assertClose, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import type { LossSpec } from './index.ts';
import * as losses from './losses.ts';

interface Fixture {
  readonly hidden: number[];
  readonly table: number[];
  readonly bias: number[];
  readonly targets: number[];
  readonly cases: { name: string; config: object; loss: number; hidden: number[]; table: number[]; bias: number[] }[];
}

const fixture = JSON.parse(readFileSync(new URL('../fixtures/losses.json', import.meta.url), 'utf8')) as Fixture;

beforeAll(() => useTestBackend());

// Provenance is in the fixture: PyTorch in float64, and GRU4Rec's own code for BPR-max and the softmax over the batch.
test.each(fixture.cases.map((row) => [row.name, JSON.stringify(row.config), row] as const))(
  '%s %s: loss and gradients are those of PyTorch',
  (name, _config, row) => {
    const spec = losses[name as keyof typeof losses] as LossSpec;
    const loss = spec.create(spec.configSchema.parse(row.config));
    const inputs = [
      tf.tensor2d(fixture.hidden, [6, 4]),
      tf.tensor2d(fixture.table, [13, 4]),
      tf.tensor1d(fixture.bias),
    ] as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
    const { value, grads } = tf.valueAndGrads((hidden: tf.Tensor, itemTable: tf.Tensor, itemBias: tf.Tensor) =>
      loss({
        hidden: hidden as tf.Tensor2D,
        itemTable: itemTable as tf.Tensor2D,
        itemBias: itemBias as tf.Tensor1D,
        targetIds: Int32Array.from(fixture.targets),
        seed: 1,
        itemHistory: { counts: new Int32Array(13).fill(1) },
      }),
    )(inputs);
    assertClose('loss', value.dataSync(), [row.loss], 1e-5);
    assertClose('gradient of hidden', grads[0].dataSync(), row.hidden, 1e-5);
    assertClose('gradient of the table', grads[1].dataSync(), row.table, 1e-5);
    assertClose('gradient of the bias', grads[2].dataSync(), row.bias, 1e-5);
  },
);
