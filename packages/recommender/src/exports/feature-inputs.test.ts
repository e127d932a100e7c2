import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIRST_ITEM_ID, packSessions, type SessionBatch } from '@nimue/batch';
import { objectives } from '@nimue/data';
import type { NeuralModel } from '@nimue/models';
import { createRandom } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { askOnnx, type Feed } from '../../test/ask-onnx.ts';
import { modelSpecs } from '../../test/untrained-model.ts';
import { SCHEMA_VERSION } from '../manifest.ts';
import type { OpenedModel } from '../open-model.ts';
import * as formats from './formats.ts';

const NUM_ITEMS = 11;
const NUM_ROWS = FIRST_ITEM_ID + NUM_ITEMS;
const root = mkdtempSync(join(tmpdir(), 'nimue-inputs-'));

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => rmSync(root, { recursive: true }));

const COLUMNS = [
  { name: 'brand', kind: 'category', numValues: 5 },
  { name: 'device', kind: 'category', numValues: 4 },
  { name: 'price', kind: 'number' },
  { name: 'text_0', kind: 'number' },
  { name: 'text_1', kind: 'number' },
  { name: 'unread', kind: 'number' },
] as const;
const READ = COLUMNS.filter(({ name }) => name !== 'unread');

const FEATURES = [
  { kind: 'category', column: 'brand', role: 'item' },
  { kind: 'category', column: 'device', role: 'contextBefore' },
  { kind: 'category', column: 'device', role: 'contextAfter', table: 'shared' },
  { kind: 'softOneHot', column: 'price' },
  { kind: 'projection', column: 'price', role: 'contextAfter' },
  { kind: 'vector', column: 'text' },
  { kind: 'timeInterval', numBuckets: 9 },
];
const CASES = [
  ['sasrec', 'causal', { aggregation: 'concat', features: [...FEATURES, { kind: 'scalar', column: 'price' }] }],
  ['sasrec', 'masked', { aggregation: 'concat', features: FEATURES, layerNorm: true }],
  ['gru4rec', 'masked', { aggregation: 'sum', features: FEATURES }],
  ['bert4rec', 'masked', { aggregation: 'stack', features: FEATURES }],
  ['srgnn', 'causal', { aggregation: 'sumTimesItem', features: FEATURES }],
  ['hstu', 'masked', { aggregation: 'stack', features: FEATURES, layerNorm: true }],
] as const;

function openWith(name: string, objectiveName: 'causal' | 'masked', inputs: object): OpenedModel {
  const spec = modelSpecs[name];
  const config = spec.configSchema.parse({ hiddenSize: 6, inputs, ...(name !== 'gru4rec' && { maxLength: 6 }) });
  const model = spec.create(config, { numRows: NUM_ROWS, seed: 3, features: COLUMNS }) as NeuralModel;
  const random = createRandom(5);
  const weights = model.parameters.read();
  for (const values of weights.values()) for (let i = 0; i < values.length; i++) values[i] += 0.6 * random() - 0.3;
  model.parameters.write(weights);
  model.setItemFeatures?.({ brand: Int32Array.from({ length: NUM_ROWS }, (_, id) => id % 5) });
  return {
    manifest: {
      format: 'nimue-model',
      schemaVersion: SCHEMA_VERSION,
      label: name,
      model: { name, config },
      objective: { name: objectiveName, config: {} },
      seed: 3,
      numRows: NUM_ROWS,
      trainWindows: [],
      columns: [...COLUMNS],
      numCountedWindows: 0,
      files: { 'items.json': '', 'weights.safetensors': '' },
    },
    model,
    objective: objectives[objectiveName].create(objectives[objectiveName].configSchema.parse({}) as never),
    itemIds: Array.from({ length: NUM_ITEMS }, (_, i) => `i${i}`),
  };
}

/** Sessions of 1, 5 and other numbers of events, with random columns. */
function randomBatch(): SessionBatch {
  const random = createRandom(8);
  const whole = (n: number) => Math.floor(random() * n);
  const sessions = [1, 5, 3, 2, 4].map((length) => Array.from({ length }, () => FIRST_ITEM_ID + whole(NUM_ITEMS)));
  const batch = packSessions(sessions);
  const { length } = batch.itemIds;
  const features = Object.fromEntries(
    COLUMNS.map((column) => [
      column.name,
      column.kind === 'category'
        ? Int32Array.from({ length }, () => whole(column.numValues))
        : Float32Array.from({ length }, () => 2 * random() - 1),
    ]),
  );
  let time = 1.7e12;
  return { ...batch, features, timestampsMs: Float64Array.from({ length }, () => (time += whole(400_000))) };
}

function padded(batch: SessionBatch, length: number): Feed {
  const { offsets } = batch;
  const numSessions = offsets.length - 1;
  const grid = (column: ArrayLike<number>) =>
    Array.from({ length: numSessions * length }, (_, cell) => {
      const at = offsets[Math.floor(cell / length)] + (cell % length);
      return at < offsets[Math.floor(cell / length) + 1] ? column[at] : 0;
    });
  const dims = [numSessions, length];
  return {
    item_ids: { type: 'int64', dims, data: grid(batch.itemIds) },
    timestamps_ms: { type: 'int64', dims, data: grid(batch.timestampsMs ?? []) },
    ...Object.fromEntries(
      COLUMNS.map(({ name, kind }) => [
        `feature_${name}`,
        { type: kind === 'category' ? 'int64' : 'float32', dims, data: grid(batch.features?.[name] ?? []) } as const,
      ]),
    ),
  };
}

test.each(CASES)('%s with features: ONNX gives the scores of the model', (name, objectiveName, inputs) => {
  const opened = openWith(name, objectiveName, inputs);
  const batch = randomBatch();
  const top = opened.model.recommend(opened.objective.createInferenceBatch(batch), NUM_ITEMS);
  const expected = new Float32Array(top.scores.length);
  top.itemIds.forEach((id, place) => {
    expected[Math.floor(place / NUM_ITEMS) * NUM_ITEMS + id - FIRST_ITEM_ID] = top.scores[place];
  });
  const files = formats.onnx.files(opened, {});
  const file = join(root, `${name}-${objectiveName}.onnx`);
  writeFileSync(file, files.get('model.onnx') ?? '');
  const asked = JSON.parse(String(files.get('export.json'))).inputs;
  expect(Object.keys(asked).sort()).toEqual(
    ['item_ids', 'timestamps_ms', ...READ.map((column) => `feature_${column.name}`)].sort(),
  );
  const [[{ scores }]] = askOnnx([{ model: file, feeds: [padded(batch, 5)] }]);
  const largest = Math.max(...expected.map(Math.abs), 1);
  expected.forEach((value, i) => {
    if (!(Math.abs(scores.data[i] - value) <= 1e-5 * largest)) {
      throw new Error(`score ${i} is ${scores.data[i]}, expected ${value}`);
    }
  });
  opened.model.dispose();
});
