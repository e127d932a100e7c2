import { FIRST_ITEM_ID, type SessionBatch } from '@nimue/batch';
import { type EncodedSessions, objectives, packBatches, packInferenceBatches } from '@nimue/data';
import { losses } from '@nimue/losses';
import {
  defaultObjective,
  hiddenAtTargets,
  type InputColumn,
  type ModelSpec,
  models,
  type NeuralModel,
} from '@nimue/models';
import { fusedKernelFallbacks } from '@nimue/ops';
import { assertClose, createRandom } from '@nimue/testing';
import { lossAndGradients } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import { chooseBackend } from './backends/choose-backend.ts';

const COLUMNS: readonly InputColumn[] = [
  { name: 'brand', kind: 'category', numValues: 9 },
  { name: 'price', kind: 'number' },
  { name: 'text_0', kind: 'number' },
];

const FEATURES = [
  { kind: 'category', column: 'brand', role: 'item' },
  { kind: 'category', column: 'brand', role: 'contextAfter', size: 3 },
  { kind: 'projection', column: 'price' },
  { kind: 'softOneHot', column: 'price', role: 'contextBefore' },
  { kind: 'vector', column: 'text' },
];

const AGGREGATIONS = ['concat', 'stack', 'sum', 'sumTimesItem'];

/** Every neural model reading features, with the objective it has when an experiment names none. */
const NEURAL = Object.entries(models as Record<string, ModelSpec>)
  .filter(([, { kind }]) => kind === 'neural')
  .flatMap(([name, spec], i) => {
    const forms = name === 'xlnet' ? ['bidirectional', 'causal', 'twoStream'] : [undefined];
    return forms.map((attention, f) => {
      const shape = (spec.configSchema as unknown as { shape: Record<string, unknown> }).shape;
      const small: Record<string, unknown> = { hiddenSize: 8, maxLength: 10 };
      for (const key of Object.keys(shape)) if (/dropout$/i.test(key)) small[key] = 0;
      const known = Object.fromEntries(Object.entries(small).filter(([key]) => key in shape));
      const inputs = { aggregation: AGGREGATIONS[(i + f) % 4], features: FEATURES };
      const config = { ...known, ...(attention && { attention }), inputs };
      return [[name, attention, inputs.aggregation].filter(Boolean).join(' '), spec, config] as const;
    });
  });

/** Items of random sessions; every event has features of its own. */
function randomSessions(numSessions: number, numItems: number, length: number): EncodedSessions {
  const random = createRandom(4);
  const numEvents = numSessions * length;
  const numbers = () => Float32Array.from({ length: numEvents }, () => random() - 0.5);
  return {
    itemIds: Int32Array.from({ length: numEvents }, () => FIRST_ITEM_ID + Math.floor(random() * numItems)),
    offsets: Int32Array.from({ length: numSessions + 1 }, (_, s) => s * length),
    timestampsMs: Float64Array.from({ length: numEvents }, (_, i) => 60_000 * i),
    features: {
      brand: Int32Array.from(numbers(), (x) => 1 + Math.floor(8 * (x + 0.5))),
      price: numbers(),
      text_0: numbers(),
    },
  };
}

function makeModel(spec: ModelSpec, config: object, numRows: number): NeuralModel {
  const size = { numRows, seed: 5, features: COLUMNS };
  const model = spec.create(spec.configSchema.parse({ ...config, initStd: 0.5 }), size) as NeuralModel;
  const random = createRandom(6);
  model.setItemFeatures?.({
    brand: Int32Array.from({ length: numRows }, (_, id) => (id < 3 ? 0 : 1 + Math.floor(8 * random()))),
  });
  return model;
}

function objectiveOf(spec: ModelSpec, config: object) {
  const name = defaultObjective(spec, spec.configSchema.parse(config)) as keyof typeof objectives;
  return objectives[name].create(objectives[name].configSchema.parse({}) as never);
}

/** The features of one event changed. */
function withOtherFeatures(sessions: EncodedSessions, event: number): EncodedSessions {
  const features = Object.entries(sessions.features ?? {}).map(([name, column]) => {
    const changed = column.slice();
    changed[event] = column instanceof Int32Array ? 1 + (column[event] % 8) : column[event] + 0.7;
    return [name, changed] as const;
  });
  return { ...sessions, features: Object.fromEntries(features) };
}

describe.each(NEURAL)('%s', (_name, spec, config) => {
  const objective = objectiveOf(spec, config);
  const isCausal = objective.name === 'causal';

  test('the features of what is predicted change nothing at the position that predicts it; those of other events do', async () => {
    await chooseBackend('native');
    const sessions = { ...randomSessions(3, 9, 5), sessionKeys: Int32Array.of(0, 1, 2) };
    const model = makeModel(spec, config, 12);
    const batchOf = (of: EncodedSessions): SessionBatch => {
      const [batch] = packBatches(of, { batchSize: 8, maxLength: 10, seed: 1, objective, shuffle: false } as never);
      return batch;
    };
    const statesOf = (batch: SessionBatch) =>
      tf.tidy(() => hiddenAtTargets(model, batch, { training: false }).arraySync()) as number[][];
    const before = batchOf(sessions);
    const states = statesOf(before);
    // Batches may be in another order than the sessions: a session is known by its key.
    const eventOf = (position: number) => {
      const b = before.offsets.findIndex((from, s) => from <= position && position < before.offsets[s + 1]);
      const key = (before.sessionKeys as Int32Array)[b];
      return sessions.offsets[key] + (position - before.offsets[b]);
    };
    let numMoved = 0;
    for (const [n, position] of before.targets.positions.entries()) {
      const event = eventOf(position) + (isCausal ? 1 : 0);
      expect(sessions.itemIds[event]).toBe(before.targets.itemIds[n]);
      const after = statesOf(batchOf(withOtherFeatures(sessions, event)));
      assertClose(`target ${n}`, after[n], states[n], 0);
      after.forEach((row, other) => {
        if (row.some((x, d) => x !== states[other][d])) numMoved++;
      });
    }
    if (isCausal) expect(numMoved).toBeGreaterThan(0);
    // Seen events do change what is predicted.
    const seen = Array.from({ length: 5 }, (_, place) => statesOf(batchOf(withOtherFeatures(sessions, place))));
    expect(seen.some((after) => after.some((row, n) => row.some((x, d) => x !== states[n][d])))).toBe(true);
    model.dispose();
  });

  test('loss, gradients and ranks are the same on native, wasm and cpu; nothing falls back', async () => {
    const sessions = { ...randomSessions(6, 8, 5), sessionKeys: Int32Array.from({ length: 6 }, (_, s) => s) };
    const loss = losses.crossEntropy.create({ temperature: 1, labelSmoothing: 0 });
    const numbersOn = async (backend: 'native' | 'wasm' | 'cpu') => {
      await chooseBackend(backend);
      const model = makeModel(spec, config, 11);
      const [batch] = packBatches(sessions, { batchSize: 8, maxLength: 10, seed: 1, objective });
      const { value, gradients } = lossAndGradients(model, loss, batch, 7);
      const options = { batchSize: 8, maxLength: 10, objective, targetIds: new Int32Array(6).fill(4) };
      const numbers = {
        loss: value.dataSync()[0],
        gradients: new Map(Object.entries(gradients).map(([name, gradient]) => [name, gradient.dataSync().slice()])),
        ranks: [...packInferenceBatches(sessions, options)].flatMap((asked) => [...model.rankTargets(asked)]),
      };
      tf.dispose([value, gradients]);
      model.dispose();
      return numbers;
    };
    const cpu = await numbersOn('cpu');
    for (const backend of ['wasm', 'native'] as const) {
      const other = await numbersOn(backend);
      assertClose(`${backend}: loss`, [other.loss], [cpu.loss], 1e-5);
      for (const [name, gradient] of cpu.gradients) {
        assertClose(`${backend}: gradient of ${name}`, other.gradients.get(name) ?? [], gradient, 2e-4);
      }
      expect(other.ranks).toEqual(cpu.ranks);
    }
    expect(fusedKernelFallbacks('native')).toEqual([]);
  });
});

test('nothing of a step with features falls back to JavaScript at a usual size', async () => {
  await chooseBackend('native');
  const { nativeBackendFallbacks } = await import('@nimue/backend-native');
  const sessions = { ...randomSessions(256, 400, 10), sessionKeys: Int32Array.from({ length: 256 }, (_, s) => s) };
  const loss = losses.crossEntropy.create({ temperature: 1, labelSmoothing: 0 });
  for (const [label, spec, config] of NEURAL) {
    const wide = { ...config, hiddenSize: 64 };
    const model = makeModel(spec, wide, 403);
    const objective = objectiveOf(spec, wide);
    const [batch] = packBatches(sessions, { batchSize: 256, maxLength: 10, seed: 1, objective });
    const { value, gradients } = lossAndGradients(model, loss, batch, 7);
    tf.dispose([value, gradients]);
    model.dispose();
    expect([label, nativeBackendFallbacks(), fusedKernelFallbacks('native')]).toEqual([label, [], []]);
  }
});
