import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import {
  EVERY_INPUT,
  everyFeature,
  FEATURE_QUESTIONS,
  FEATURE_SESSIONS,
  VECTORS_CSV,
} from '../../test/feature-sessions.ts';
import { pythonWith } from '../../test/python-with.ts';
import { trainSmall } from '../../test/train-small.ts';
import { type ModelConfig, parseModelConfig, type TensorConfig } from '../../test/triton/model-config.ts';
import { smallConfig, writeUntrained } from '../../test/untrained-model.ts';
import { Recommender, type RequestSession, readModelFolder } from '../index.ts';
import { exportModel } from './export-model.ts';

const NUM_ITEMS = 60;
const K = 6;
/** GRU4Rec, trained with every feature that there is. */
const WITH_FEATURES = 'features';
const root = mkdtempSync(join(tmpdir(), 'nimue-triton-'));

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => rmSync(root, { recursive: true }));

/** A repository of an untrained model. */
async function exported(
  name: string,
): Promise<{ model: string; folder: string; configs: Record<string, ModelConfig> }> {
  const model = join(root, name);
  const folder = join(root, `${name}-triton`);
  if (name === WITH_FEATURES) {
    writeFileSync(join(root, 'vectors.csv'), VECTORS_CSV);
    const features = everyFeature(join(root, 'vectors.csv'));
    const options = { config: { inputs: EVERY_INPUT, hiddenSize: 8 }, training: { epochs: 3, learningRate: 0.05 } };
    await trainSmall('gru4rec', model, { label: name, sessions: FEATURE_SESSIONS, features, ...options });
  } else {
    const config = smallConfig(name, { hiddenSize: 16, maxLength: 10, numHeads: 2 });
    await writeUntrained(model, name, { config, numItems: NUM_ITEMS });
  }
  const opened = readModelFolder(model);
  exportModel(opened, folder, { format: 'triton', topK: K });
  opened.model.dispose();
  const repository = join(folder, 'model_repository');
  const configs = readdirSync(repository).map((one) => {
    const text = readFileSync(join(repository, one, 'config.pbtxt'), 'utf8');
    return [one, parseModelConfig(text)] as const;
  });
  return { model, folder, configs: Object.fromEntries(configs) };
}

describe.each(['sasrec', 'bert4rec', 'gru4rec', 'hstu', WITH_FEATURES])('%s', (name) => {
  let made: Awaited<ReturnType<typeof exported>>;
  beforeAll(async () => {
    made = await exported(name);
  });

  test('the configurations are sound by what Triton declares, and fit together', () => {
    const { folder, configs } = made;
    expect(Object.keys(configs).sort()).toEqual([name, `${name}_model`, `${name}_name`, `${name}_prepare`]);
    for (const [own, config] of Object.entries(configs)) {
      expect(config.name).toBe(own);
      const files = { ensemble: 'README', python: 'model.py', onnxruntime: 'model.onnx' };
      const kind = (config.platform || config.backend) as keyof typeof files;
      expect(existsSync(join(folder, 'model_repository', own, '1', files[kind]))).toBe(true);
      const names = [...config.input, ...config.output].map((tensor) => tensor.name);
      expect(new Set(names).size).toBe(names.length);
      for (const { dims } of [...config.input, ...config.output]) {
        expect(dims.every((size) => size === -1 || size > 0)).toBe(true);
      }
    }
    // What flows through the ensemble has one type and one shape wherever it comes by.
    const ensemble = configs[name];
    const kindOf = ({ dataType, dims }: TensorConfig) => ({ dataType, dims });
    const flowing = new Map(ensemble.input.map((tensor) => [tensor.name, kindOf(tensor)]));
    for (const { modelName, modelVersion, inputMap, outputMap } of ensemble.ensembleScheduling?.step ?? []) {
      expect(modelVersion).toBe(-1);
      const step = configs[modelName];
      expect(step.maxBatchSize).toBeGreaterThanOrEqual(ensemble.maxBatchSize);
      expect(Object.keys(inputMap).sort()).toEqual(step.input.map((tensor) => tensor.name).sort());
      for (const tensor of step.input) expect(flowing.get(inputMap[tensor.name])).toEqual(kindOf(tensor));
      for (const tensor of step.output) {
        const outer = outputMap[tensor.name];
        expect(outer).toBeDefined();
        expect(flowing.has(outer)).toBe(false);
        flowing.set(outer, kindOf(tensor));
      }
      expect(Object.keys(outputMap)).toHaveLength(step.output.length);
    }
    for (const tensor of ensemble.output) expect(flowing.get(tensor.name)).toEqual(kindOf(tensor));
    expect(ensemble.output.map((tensor) => tensor.name)).toEqual(['recommended', 'scores']);
  });

  const python = pythonWith('numpy');
  (python ? test : test.skip)(
    `the client, the two Python steps and onnxruntime recommend what the recommender does${python ? '' : ' (skipped: no python3 with numpy)'}`,
    () => {
      const { model, folder, configs } = made;
      const long = Array.from({ length: 14 }, (_, i) => `i${(i * 7) % NUM_ITEMS}`);
      const plain = [['i1', 'nothing', 'i2'], ['nothing', 'nowhere'], [], long, ['i59'], ['i3', 'i3']];
      const timed = plain.map((items, s) => ({
        items,
        timestampsMs: items.map((_, i) => Date.UTC(2024, 1, 1) + s * 5e6 + i * i * 40_000),
      }));
      const none = { brand: [], price: [], device: [] };
      const strange = { brand: ['b1', '?'], price: [null, 1e4], device: ['tv', null] };
      const withColumns: readonly RequestSession[] = [
        ...FEATURE_QUESTIONS,
        { items: [], timestampsMs: [], columns: none },
        { items: ['nothing', 'nowhere'], timestampsMs: [1.7e12, 1.71e12], columns: strange },
        { items: ['nothing', 'i4'], timestampsMs: [1.7e12, 1.71e12], columns: strange },
      ];
      const sessions: readonly RequestSession[] = name === WITH_FEATURES ? withColumns : timed;
      const standIn = {
        repository: join(folder, 'model_repository'),
        configs,
        runtime: [process.execPath, fileURLToPath(new URL('../../test/run-onnx.mjs', import.meta.url))],
      };
      const ask = (...args: string[]) => {
        const { status, stdout, stderr } = spawnSync(python as string, args, {
          cwd: folder,
          encoding: 'utf8',
          env: {
            ...process.env,
            PYTHONPATH: fileURLToPath(new URL('../../test/triton/python', import.meta.url)),
            PYTHONDONTWRITEBYTECODE: '1',
            STAND_IN: JSON.stringify(standIn),
          },
        });
        if (status !== 0) throw new Error(stderr);
        return stdout;
      };
      const given = configs[name].input.map((tensor) => tensor.name).filter((one) => one !== 'items');
      const expectedInputs = {
        hstu: ['timestamps_ms'],
        [WITH_FEATURES]: ['number_price', 'text_brand', 'text_device', 'timestamps_ms'],
      };
      expect([...given].sort()).toEqual(expectedInputs[name as keyof typeof expectedInputs] ?? []);
      const readsTimes = given.includes('timestamps_ms');
      const columnOf = ({ timestampsMs, columns }: RequestSession, input: string) => {
        if (input === 'timestamps_ms') return timestampsMs;
        const [, kind, column] = /^(text|number)_(.*)$/.exec(input) ?? [];
        return columns?.[column].map((cell) => cell ?? (kind === 'text' ? '' : Number.NaN));
      };
      const python3 = (value: unknown): string =>
        Array.isArray(value)
          ? `[${value.map(python3).join(', ')}]`
          : Number.isNaN(value)
            ? 'float("nan")'
            : JSON.stringify(value);
      const keywords = given.map(
        (input) => `, ${input}=${python3(sessions.map((session) => columnOf(session, input)))}`,
      );
      const call = `client.recommend("here:8000", ${python3(sessions.map(({ items }) => items))}${keywords.join('')})`;
      const answer = JSON.parse(ask('-c', `import client, json; print(json.dumps(${call}))`)) as [string, number][][];
      const recommender = Recommender.load(model);
      const expected = recommender.recommend({
        sessions: sessions.map(({ timestampsMs, ...session }) => ({ ...session, ...(readsTimes && { timestampsMs }) })),
        k: K,
        withScores: true,
      });
      const [{ items: asTyped }] = recommender.recommend({
        sessions: [{ items: ['i1', 'i2'], ...(readsTimes && { timestampsMs: [0, 0] }) }],
      });
      recommender.dispose();
      expect(answer.map((list) => list.map(([item]) => item))).toEqual(
        expected.map(({ items }) => items.map(({ item }) => item)),
      );
      answer.flat().forEach(([, score], i) => {
        const exact = expected.flatMap(({ items }) => items)[i].score as number;
        expect(Math.abs(score - exact)).toBeLessThan(1e-5 * Math.max(1, Math.abs(exact)));
      });
      // As its own text says.
      const [first] = ask('client.py', 'localhost:8000', 'i1,i2', 'i7').split('\n');
      expect(first).toMatch(/^\[\('i\d+', -?[\d.e-]+\), .*\]$/);
      expect(first.startsWith(`[('${asTyped[0].item}', `)).toBe(true);
    },
  );
});

test('a configuration that Triton would refuse is refused', () => {
  const sound = 'name: "a"\nmax_batch_size: 4\ninput { name: "x" data_type: TYPE_FP32 dims: [ -1, 3 ] }\n';
  expect(parseModelConfig(sound)).toMatchObject({
    name: 'a',
    maxBatchSize: 4,
    input: [{ name: 'x', dataType: 'TYPE_FP32', dims: [-1, 3] }],
    output: [],
  });
  expect(() => parseModelConfig('naem: "a"')).toThrow("ModelConfig has no field 'naem'");
  expect(() => parseModelConfig('name: a')).toThrow("'name' cannot be a; expected string");
  expect(() => parseModelConfig('input { data_type: TYPE_FLOAT }')).toThrow("'dataType' cannot be TYPE_FLOAT");
  expect(() => parseModelConfig('max_batch_size: 1 max_batch_size: 2')).toThrow('there twice');
  expect(() => parseModelConfig('input { name: "x"')).toThrow('it ends too early');
});
