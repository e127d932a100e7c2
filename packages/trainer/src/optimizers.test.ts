import { ParameterStore } from '@nimue/models';
import { adam } from '@nimue/ops';
import { useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { Optimizer, optimizers, type TrainingConfig, trainingSchema } from './index.ts';

beforeAll(() => useTestBackend());

const start = [1, -2, 0.5, 3, -1, 0.25];
const gradients = [
  [0.5, -1, 2, 0.1, 0, 0],
  [-0.25, 1.5, 0, -3, 0, 0],
  [1, 1, -1, 0.5, 0.75, -2],
];

function createStore(numRows: number): ParameterStore {
  const store = new ParameterStore(1);
  store.add('table', [numRows, 2], { kind: 'ones' }, true);
  store.write(new Map([['table', Float32Array.from(start.slice(0, 2 * numRows))]]));
  return store;
}

function apply(optimizer: Optimizer, store: ParameterStore, gradient: readonly number[], learningRate = 0.1): void {
  const { shape, size } = store.variable('table');
  tf.tidy(() => optimizer.apply(store, { table: tf.tensor([...gradient].slice(0, size), shape) }, learningRate));
}

const tableOf = (store: ParameterStore) => [...(store.read().get('table') as Float32Array)];
const create = (config: TrainingConfig) => new Optimizer(optimizers[config.optimizer](config));

const configs = (['adagrad', 'adam', 'adamL2', 'sgd'] as const).flatMap((optimizer) =>
  [0, 0.9].map((momentum) => trainingSchema.parse({ optimizer, momentum, learningRate: 5, weightDecay: 0 })),
);

test('the list has the optimizers that an experiment may name; adam is the default', () => {
  expect(Object.keys(optimizers)).toEqual(['adagrad', 'adam', 'adamL2', 'sgd']);
  expect(trainingSchema.parse({})).toMatchObject({ optimizer: 'adam', momentum: 0 });
  expect(trainingSchema.safeParse({ optimizer: 'lion' }).success).toBe(false);
  expect(trainingSchema.safeParse({ optimizer: 'sgd', momentum: 1 }).success).toBe(false);
});

describe.each(configs)('$optimizer, momentum $momentum', (config) => {
  test('state follows rows that are added: the same bits as if they had been there all along', () => {
    const before = tf.memory().numTensors;
    const growing = create(config);
    const whole = create(config);
    const [small, large] = [createStore(2), createStore(3)];
    for (const gradient of gradients.slice(0, 2)) {
      apply(growing, small, gradient);
      apply(whole, large, gradient);
    }
    small.resizeItems(3);
    small.write(new Map([['table', Float32Array.from([...tableOf(small).slice(0, 4), ...start.slice(4)])]]));
    apply(growing, small, gradients[2]);
    apply(whole, large, gradients[2]);
    expect(tableOf(small)).toEqual(tableOf(large));
    expect(tableOf(small).slice(4)).not.toEqual(start.slice(4));
    for (const owner of [growing, whole, small, large]) owner.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('restart forgets: the next steps are those of a new optimizer', () => {
    const [used, fresh] = [create(config), create(config)];
    const [a, b] = [createStore(3), createStore(3)];
    for (const gradient of gradients) apply(used, a, gradient);
    used.restart();
    expect(used.step).toBe(0);
    a.write(b.read());
    for (const gradient of gradients) {
      apply(used, a, gradient);
      apply(fresh, b, gradient);
    }
    expect(tableOf(a)).toEqual(tableOf(b));
    for (const owner of [used, fresh, a, b]) owner.dispose();
  });

  test('the step’s own learning rate counts, not the one of the section', () => {
    const optimizer = create(config);
    const store = createStore(3);
    apply(optimizer, store, gradients[2], 0);
    expect(tableOf(store)).toEqual(start);
    apply(optimizer, store, gradients[2], 0.1);
    expect(tableOf(store)).not.toEqual(start);
    for (const owner of [optimizer, store]) owner.dispose();
  });
});

test.each(['adam', 'adamL2'] as const)('%s is the op, step by step', (name) => {
  const config = trainingSchema.parse({ optimizer: name, weightDecay: 0.1 });
  const optimizer = create(config);
  const store = createStore(3);
  const [parameter, moment1, moment2] = [start, 0, 0].map((values) =>
    tf.tidy(() => tf.variable(values === 0 ? tf.zeros([3, 2]) : tf.tensor(values, [3, 2]))),
  );
  const { beta1, beta2, epsilon } = config;
  const decay = name === 'adam' ? { weightDecay: 0.1 } : { weightDecay: 0, l2: 0.1 };
  const rest = { parameter, moment1, moment2, learningRate: 0.1, beta1, beta2, epsilon, ...decay };
  gradients.forEach((gradient, i) => {
    apply(optimizer, store, gradient);
    tf.tidy(() => adam({ ...rest, gradient: tf.tensor(gradient, [3, 2]), step: i + 1 }));
  });
  expect(tableOf(store)).toEqual([...parameter.dataSync()]);
  tf.dispose([parameter, moment1, moment2]);
  for (const owner of [optimizer, store]) owner.dispose();
});
