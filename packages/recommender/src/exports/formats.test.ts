import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { askOnnx } from '../../test/ask-onnx.ts';
import { pythonWith } from '../../test/python-with.ts';
import { writeUntrained } from '../../test/untrained-model.ts';
import { type OpenedModel, Recommender, readModelFolder } from '../index.ts';
import { exportModel } from './export-model.ts';

const NUM_ITEMS = 300;
const root = mkdtempSync(join(tmpdir(), 'nimue-formats-'));
const source = join(root, 'model');
let opened: OpenedModel;

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
  const config = { hiddenSize: 16, maxLength: 10, numHeads: 2 };
  await writeUntrained(source, 'sasrec', { config, numItems: NUM_ITEMS, titles: { i3: 'Three' } });
  opened = readModelFolder(source);
});
afterAll(() => {
  opened.model.dispose();
  rmSync(root, { recursive: true });
});

function python(command: string, program: string): unknown {
  const { status, stdout, stderr } = spawnSync(command, ['-c', program], { encoding: 'utf8', cwd: root });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

test('the k best: their places in items.json and their scores', () => {
  exportModel(opened, join(root, 'top'), { format: 'onnx', topK: 5 });
  const feed = { item_ids: { type: 'int64', dims: [1, 3], data: [4, 9, 12] } } as const;
  const [[{ top_items, top_scores }]] = askOnnx([{ model: join(root, 'top', 'model.onnx'), feeds: [feed] }]);
  const recommender = Recommender.load(source);
  const [{ items }] = recommender.recommend({ sessions: [{ items: ['i1', 'i6', 'i9'] }], k: 5, withScores: true });
  recommender.dispose();
  const { ids, titles } = JSON.parse(readFileSync(join(root, 'top', 'items.json'), 'utf8'));
  expect(top_items.data.map((place) => ids[place])).toEqual(items.map(({ item }) => item));
  items.forEach(({ score }, i) => {
    expect(top_scores.data[i]).toBeCloseTo(score ?? Number.NaN, 5);
  });
  expect(titles).toEqual({ i3: 'Three' });
});

test('int8 items: a quarter of the bytes, and what it costs is measured', () => {
  const bytes = (folder: string, file: string) => statSync(join(root, folder, file)).size;
  const loss = exportModel(opened, join(root, 'small'), { format: 'onnx', int8Items: true }).int8Loss;
  exportModel(opened, join(root, 'large'), { format: 'onnx' });
  const saved = bytes('large', 'model.onnx') - bytes('small', 'model.onnx');
  // Rows of 16 numbers: three of four bytes less, and a scale of four bytes more for each row; and what is said of it.
  const expected = (3 + NUM_ITEMS) * (16 * 3 - 4);
  expect(saved).toBeGreaterThan(expected - 600);
  expect(saved).toBeLessThanOrEqual(expected);
  expect(loss?.shareOfTopKept).toBeGreaterThan(0.9);
  expect(loss?.largestScoreChange).toBeGreaterThan(0);
  expect(loss?.largestScoreChange).toBeLessThan(0.2);
  const description = JSON.parse(readFileSync(join(root, 'small', 'export.json'), 'utf8'));
  expect(description.int8Items).toEqual(loss);
  // The model itself is as it was.
  expect(opened.model.kind === 'neural' && opened.model.parameters.read().get('items')).toEqual(
    (() => {
      const again = readModelFolder(source);
      const values = again.model.kind === 'neural' && again.model.parameters.read().get('items');
      again.model.dispose();
      return values;
    })(),
  );
  const feed = { item_ids: { type: 'int64', dims: [1, 2], data: [4, 9] } } as const;
  const [[small], [large]] = askOnnx(
    ['small', 'large'].map((folder) => ({ model: join(root, folder, 'model.onnx'), feeds: [feed] })),
  );
  const differences = small.scores.data.map((score, i) => Math.abs(score - large.scores.data[i]));
  expect(Math.max(...differences)).toBeGreaterThan(0);
  expect(Math.max(...differences)).toBeLessThan(0.05 * Math.max(...large.scores.data.map(Math.abs)));
});

const withSafetensors = pythonWith('safetensors.numpy');
(withSafetensors ? test : test.skip)(
  `safetensors: Python reads every weight${withSafetensors ? '' : ' (skipped: no python3 with the module safetensors)'}`,
  () => {
    for (const int8Items of [false, true]) {
      const folder = join(root, `weights-${int8Items}`);
      exportModel(opened, folder, { format: 'safetensors', int8Items });
      const read = python(
        withSafetensors as string,
        `import json
from safetensors.numpy import load_file
tensors = load_file(${JSON.stringify(join(folder, 'model.safetensors'))})
print(json.dumps({name: [list(values.shape), str(values.dtype), values.astype(float).ravel().tolist()] for name, values in tensors.items()}))`,
      ) as Record<string, [number[], string, number[]]>;
      if (opened.model.kind !== 'neural') throw new Error('expected a model with weights');
      const { parameters } = opened.model;
      for (const [name, values] of parameters.read()) {
        if (name === 'items' && int8Items) {
          const [shape, type, whole] = read['items.int8'];
          expect([shape, type]).toEqual([[3 + NUM_ITEMS, 16], 'int8']);
          const [, , scales] = read['items.scales'];
          whole.forEach((value, i) => {
            const row = Math.floor(i / 16);
            expect(Math.abs(value * scales[row] - values[i])).toBeLessThanOrEqual(scales[row] * 0.5001);
          });
          continue;
        }
        expect(read[name]).toEqual([parameters.variable(name).shape, 'float32', [...values]]);
      }
    }
  },
);

test('what cannot be exported is refused by name, and a folder that is there is left alone', async () => {
  await writeUntrained(join(root, 'counted'), 'popularity');
  const counted = readModelFolder(join(root, 'counted'));
  for (const format of ['onnx', 'tfjs', 'triton', 'safetensors'] as const) {
    expect(() => exportModel(counted, join(root, 'no'), { format })).toThrow("popularity: 'popularity' counts");
  }
  counted.model.dispose();
  expect(() => exportModel(opened, source, { format: 'onnx' })).toThrow('it exists already');
  expect(() => exportModel(opened, join(root, 'no'), { format: 'onnx', length: 11 })).toThrow(
    'length is 11; expected a whole number, 1 … 10',
  );
  expect(() => exportModel(opened, join(root, 'no'), { format: 'onnx', topK: 301 })).toThrow('topK is 301');
  expect(() => exportModel(opened, join(root, 'no'), { format: 'pmml' as never })).toThrow(
    "there is no format 'pmml'; there are onnx, safetensors, tfjs, triton",
  );
  expect(readdirSync(root)).not.toContain('no');
  expect(readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
