import { NO_TARGETS, packSessions } from '@nimue/batch';
import * as tf from '@tensorflow/tfjs';
import type { LossInputs, LossSpec } from './index.ts';
import * as losses from './losses.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

const make = (name: keyof typeof losses, config: Record<string, unknown>) => {
  const spec = losses[name] as LossSpec;
  return spec.create(spec.configSchema.parse(config));
};

function inputs(labels: Record<string, number[]>, outputs: number[]): LossInputs {
  const columns = Object.entries(labels).map(([name, values]) => [name, Float32Array.from(values)] as const);
  return {
    hidden: tf.tensor2d(outputs, [outputs.length, 1]),
    itemTable: tf.zeros([9, 1]),
    targetIds: new Int32Array(outputs.length).fill(3),
    batch: { ...packSessions([]), targets: { ...NO_TARGETS, labels: Object.fromEntries(columns) } },
    headOutput: (_name, hidden) => tf.reshape(hidden, [-1]) as tf.Tensor1D,
  };
}

test('a target without a label takes no part: the mean is over those that have one', () => {
  const bought = [Number.NaN, 1, Number.NaN, 0];
  const value = make('binary', { column: 'bought' })(inputs({ bought }, [9, 0, -7, Math.log(3)])).dataSync()[0];
  expect(value).toBeCloseTo((Math.log(2) + Math.log(4)) / 2, 6);
  const none = make('regression', { column: 'bought' })(inputs({ bought: [Number.NaN, Number.NaN] }, [5, 6]));
  expect(none.dataSync()[0]).toBe(0);
});

test('a perfect label counts in the mean like any other', () => {
  const value = make('regression', { column: 'price' })(inputs({ price: [1, 2, 3] }, [1, 2, 6])).dataSync()[0];
  expect(value).toBeCloseTo(9 / 3, 6);
});

test('a loss says which heads it needs, a sum those of its parts', () => {
  const binary = { name: 'binary', column: 'event type', is: ['buy'], hiddenSize: 8 };
  const regression = { name: 'regression', column: 'price', log: true };
  const sum = make('weightedSum', { parts: [{ name: 'crossEntropy' }, binary, regression] });
  expect(sum.heads).toEqual([
    { name: 'event_type', kind: 'binary', column: 'event type', is: ['buy'], hiddenSize: 8 },
    { name: 'log_price', kind: 'regression', column: 'price', log: true, hiddenSize: undefined },
  ]);
  expect(make('crossEntropy', {}).heads).toBeUndefined();
  expect(make('binary', { column: '7 %' }).heads?.[0].name).toBe('column_7_');
});

test('refusals: nothing that ranks, one head twice, labels or heads that are not there', () => {
  const parts = [{ name: 'binary', column: 'bought' }];
  expect(() => make('weightedSum', { parts })).toThrow('none of them teaches the model which item comes next');
  const twice = [{ name: 'crossEntropy' }, ...parts, { name: 'regression', column: 'bought' }];
  expect(() => make('weightedSum', { parts: twice })).toThrow("the head 'bought' is there already");
  const binary = make('binary', { column: 'bought' });
  expect(() => binary(inputs({}, [1]))).toThrow("binary: the batch carries no labels 'bought'");
  expect(() => binary(inputs({ bought: [1, 1] }, [1]))).toThrow("there are 2 labels 'bought' for 1 targets");
  const { headOutput: _, ...headless } = inputs({ bought: [1] }, [1]);
  expect(() => binary(headless)).toThrow("the model has no heads; add 'bought' to it first");
});
