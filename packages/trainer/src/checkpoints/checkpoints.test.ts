import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { datasetFromSessions, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { createRandom } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import {
  decodeSafetensors,
  encodeSafetensors,
  evaluationSchema,
  readCheckpointFile,
  runContender,
  type TrainerEvent,
  trainingSchema,
  writeCheckpointFile,
} from '../index.ts';

const DAY_MS = 86_400_000;
/** Four days; day by day an item comes in. */
const dataset = datasetFromSessions(
  Array.from({ length: 48 }, (_, s) => {
    const day = s % 4;
    const items = [0, 1, 2].map((i) => `i${(s + i) % (8 + day)}`);
    const startMs = Date.UTC(2024, 0, 1 + day) + s * 1000;
    return { items, timestampsMs: items.map((_, i) => startMs + i) };
  }),
);
const plan = planRollingEvaluation(dataset.windows, { policy: 'incremental' });
const folders: string[] = [];
const newFolder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'nimue-checkpoints-')));
  return folders[folders.length - 1];
};

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
  expect(DAY_MS * 3).toBe(dataset.windows[3].startMs - dataset.windows[0].startMs);
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

interface RunOptions {
  directory?: string;
  resume?: boolean;
  model?: 'gru4rec' | 'popularity';
  training?: Record<string, unknown>;
  onEvent?: (event: TrainerEvent) => void;
}

async function run({ directory, resume = false, model = 'gru4rec', training = {}, onEvent }: RunOptions) {
  const contender = {
    label: model,
    create: (size: { numRows: number; seed: number }) =>
      model === 'gru4rec'
        ? models.gru4rec.create(models.gru4rec.configSchema.parse({ hiddenSize: 4, inputDropout: 0.2 }), size)
        : models.popularity.create(models.popularity.configSchema.parse({ over: 'all' }), size),
    loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
    training: trainingSchema.parse({
      epochs: 1,
      batchSize: 4,
      carryOptimizer: true,
      averageDecay: 0.8,
      touchedRowsOnly: true,
      ...training,
    }),
  };
  const results = await runContender(contender, {
    dataset,
    plan,
    evaluation: evaluationSchema.parse({ metrics: ['mrr@20', 'hr@1'] }),
    seed: 7,
    onEvent,
    ...(directory && { checkpoints: { directory, resume } }),
  });
  return results.map(({ trainSeconds, evaluateSeconds, ...result }) => result);
}

/** All arrays of the newest checkpoint. */
function newest(directory: string) {
  const file = readdirSync(directory).sort().at(-1) as string;
  return [...readCheckpointFile(join(directory, file)).tensors].map(([name, { shape, values }]) => [
    name,
    shape,
    [...values],
  ]);
}

test.each(['gru4rec', 'popularity'] as const)(
  '%s: stopped at any moment and resumed, it ends with the same bits',
  async (model) => {
    const whole = newFolder();
    const moments: string[] = [];
    const expected = await run({ directory: whole, model, onEvent: ({ type }) => void moments.push(type) });
    expect(expected).toEqual(await run({ model }));
    const random = createRandom(3);
    for (let trial = 0; trial < 6; trial++) {
      const directory = newFolder();
      const stops = [0, 1].map(() => Math.floor(random() * moments.length)).sort((a, b) => a - b);
      for (const stop of stops) {
        let heard = 0;
        const onEvent = (event: TrainerEvent) => {
          if (event.type === 'windowDone' && event.isRestored) return;
          if (heard++ === stop) throw new Error('stopped');
        };
        await run({ directory, resume: true, model, onEvent }).catch((error) => expect(error.message).toBe('stopped'));
      }
      const restored: boolean[] = [];
      const onEvent = (event: TrainerEvent) =>
        void (event.type === 'windowDone' && restored.push(event.isRestored === true));
      expect(await run({ directory, resume: true, model, onEvent })).toEqual(expected);
      expect(restored).toEqual([...restored].sort().reverse());
      expect(newest(directory)).toEqual(newest(whole));
    }
  },
);

test('a checkpoint holds weights, optimizer, average, vocabulary and position; the last two are kept', async () => {
  const directory = newFolder();
  await run({ directory });
  expect(readdirSync(directory).sort()).toEqual([
    'gru4rec-seed7-window000002.safetensors',
    'gru4rec-seed7-window000003.safetensors',
  ]);
  const { tensors, metadata } = readCheckpointFile(join(directory, 'gru4rec-seed7-window000003.safetensors'));
  expect(metadata).toMatchObject({ windowIndex: '2', seed: '7', model: 'gru4rec' });
  expect(tensors.get('vocabulary')?.values).toHaveLength(10);
  for (const name of ['weights/items', 'optimizer/items/moment1', 'optimizer/items/moment2', 'average/items']) {
    expect(tensors.get(name)?.values).toHaveLength((3 + 10) * 4);
  }
});

test('a damaged, cut or foreign file is refused by name and reason, and the one before it is offered', async () => {
  const directory = newFolder();
  await run({ directory });
  const path = join(directory, 'gru4rec-seed7-window000003.safetensors');
  const good = readFileSync(path);
  const damaged = Buffer.from(good);
  damaged[damaged.length - 9] ^= 1;
  const plain = encodeSafetensors({ tensors: new Map(), metadata: {} });
  const cases = [
    [damaged, 'it is damaged: its checksum is'],
    [good.subarray(0, good.length - 20), /does not fit its bytes/],
    [good.subarray(0, 100), 'its header should have'],
    [good.subarray(0, 3), 'it has 3 bytes'],
    [Buffer.concat([good, Buffer.from('more')]), 'where its header names'],
    [Buffer.from('\u0004\0\0\0\0\0\0\0oops'), 'it has no header of a safetensors file'],
    [plain, 'it has no checksum'],
  ] as const;
  for (const [bytes, reason] of cases) {
    writeFileSync(path, bytes);
    const refused = run({ directory, resume: true });
    await expect(refused).rejects.toThrow(reason);
    await expect(refused).rejects.toThrow(path);
    await expect(refused).rejects.toThrow('delete it to go on from gru4rec-seed7-window000002.safetensors');
  }
  rmSync(path);
  const expected = await run({});
  expect(await run({ directory, resume: true })).toEqual(expected);
});

test('another run is refused, and so is a folder that has checkpoints when the run is not to be resumed', async () => {
  const directory = newFolder();
  await run({ directory });
  await expect(run({ directory, resume: true, training: { learningRate: 0.5 } })).rejects.toThrow(
    /it is of another run: its training is .*"learningRate":0.001.*, expected .*"learningRate":0.5/,
  );
  await expect(run({ directory })).rejects.toThrow("holds checkpoints of 'gru4rec' already");
  expect(tf.memory().numTensors).toBe(0);
});

test('safetensors: every type, empty and odd sizes, back bit for bit', () => {
  const tensors = new Map([
    ['bytes', { shape: [3], values: Uint8Array.of(1, 2, 255) }],
    ['none', { shape: [0, 4], values: new Float32Array() }],
    ['one', { shape: [], values: Float32Array.of(-0) }],
    ['doubles', { shape: [2], values: Float64Array.of(Math.PI, Number.NaN) }],
    ['ints', { shape: [1, 3], values: Int32Array.of(-1, 0, 2 ** 31 - 1) }],
  ]);
  const back = decodeSafetensors(encodeSafetensors({ tensors, metadata: { ä: '✓' } }));
  expect(back.metadata).toEqual({ ä: '✓' });
  expect(new Map([...back.tensors].sort())).toEqual(new Map([...tensors].sort()));
  expect(() =>
    encodeSafetensors({ tensors: new Map([['x', { shape: [2], values: new Float32Array(3) }]]), metadata: {} }),
  ).toThrow("'x' has 3 values but shape [2]");
});

/** A Python that has safetensors. */
const python = [process.env.NIMUE_TORCH_PYTHON, 'python3'].find(
  (path) => path && spawnSync(path, ['-c', 'import safetensors, numpy']).status === 0,
);
const withPython = python ? test : test.skip;
withPython(
  `Python's safetensors reads it${python ? '' : ' (skipped: neither NIMUE_TORCH_PYTHON nor python3 has safetensors and numpy)'}`,
  async () => {
    const directory = newFolder();
    await run({ directory });
    const checkpoint = join(directory, 'gru4rec-seed7-window000003.safetensors');
    const read = `
import sys, json
from safetensors.numpy import load_file
tensors = load_file(sys.argv[1])
print(json.dumps({k: [list(v.shape), float(v.astype('float64').sum())] for k, v in tensors.items()}))`;
    const whole = spawnSync(python as string, ['-c', read, checkpoint], { encoding: 'utf8' });
    expect(whole.stderr).toBe('');
    const sums = [...readCheckpointFile(checkpoint).tensors].map(([name, { shape, values }]) => [
      name,
      [shape, Array.from(values).reduce((sum, value) => sum + value, 0)],
    ]);
    const found = JSON.parse(whole.stdout);
    expect(Object.keys(found).sort()).toEqual(sums.map(([name]) => name).sort());
    for (const [name, [shape, sum]] of sums as [string, [number[], number]][]) {
      expect(found[name][0]).toEqual(shape);
      expect(found[name][1]).toBeCloseTo(sum, 6);
    }
    const path = join(newFolder(), 'x.safetensors');
    const tensors = new Map([
      ['a.b', { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4.5) }],
      ['ids', { shape: [3], values: Int32Array.of(7, -8, 9) }],
      ['u', { shape: [1], values: Uint8Array.of(200) }],
      ['d', { shape: [1], values: Float64Array.of(0.1) }],
    ]);
    writeCheckpointFile(path, { tensors, metadata: { step: '3' } });
    const script = `
import sys, json
from safetensors import safe_open
with safe_open(sys.argv[1], 'np') as f:
    print(json.dumps({'step': f.metadata()['step'], **{k: [str(f.get_tensor(k).dtype), f.get_tensor(k).tolist()] for k in f.keys()}}, sort_keys=True))`;
    const { stdout, stderr } = spawnSync(python as string, ['-c', script, path], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      'a.b': [
        'float32',
        [
          [1, 2],
          [3, 4.5],
        ],
      ],
      d: ['float64', [0.1]],
      ids: ['int32', [7, -8, 9]],
      step: '3',
      u: ['uint8', [200]],
    });
  },
);
