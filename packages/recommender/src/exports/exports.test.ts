import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { askOnnx, type Feed } from '../../test/ask-onnx.ts';
import { neuralNames, smallConfig, writeUntrained } from '../../test/untrained-model.ts';
import { readModelFolder } from '../read-model-folder.ts';
import { Recommender } from '../recommender.ts';
import { exportModel } from './export-model.ts';
import * as graphs from './graphs.ts';

const NUM_ITEMS = 23;
const MAX_LENGTH = 7;
const root = mkdtempSync(join(tmpdir(), 'nimue-exports-'));

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => rmSync(root, { recursive: true }));

/** Options beyond a model's own that change its graph. */
const VARIANTS: readonly (readonly [label: string, name: string, config: Record<string, unknown>])[] = [
  ...neuralNames.map((name) => [name, name, {}] as const),
  ['xlnet, two streams', 'xlnet', { attention: 'twoStream' }],
  ['xlnet, causal', 'xlnet', { attention: 'causal' }],
  ['xlnet, an input layer', 'xlnet', { inputNorm: true, inputLayer: 'mlp', itemSize: 6, head: 'mlp' }],
  ['gpt2, an input layer', 'gpt2', { inputLayer: 'linear', itemSize: 6, head: 'mlp' }],
  ['bert, an input layer', 'bert', { inputNorm: true, inputLayer: 'mlp', itemSize: 6, head: 'mlp' }],
  ['gru4rec, an input layer', 'gru4rec', { inputLayer: 'mlp', itemSize: 6, head: 'mlp' }],
  ['sasrec, post-norm', 'sasrec', { norm: 'post', embedding: 'separate', itemBias: true, scaleItems: true }],
  ['sasrec, post-norm and a norm at the end', 'sasrec', { norm: 'postFinal' }],
  ['sasrec, query norm', 'sasrec', { norm: 'query', usePositions: false, itemSize: 6, head: 'mlp' }],
  ['sasrec, positions from the newest', 'sasrec', { positionsFrom: 'newest' }],
  ['gru4rec, two layers', 'gru4rec', { numLayers: 2, itemSize: 5, head: 'linear' }],
  ['srgnn, two steps', 'srgnn', { numSteps: 2, head: 'gelu' }],
  ['hstu, without times', 'hstu', { relativeTime: false, usePositions: true }],
];

test('every model with weights has a graph', () => {
  expect(Object.keys(graphs).sort()).toEqual([...neuralNames].sort());
});

interface Asked {
  readonly items: string[];
  readonly timestampsMs: number[];
}

/** Random sessions, with one of one event and one of as many as the model sees. */
function sessionsOf(longest: number, seed: number): Asked[] {
  const random = createRandom(seed);
  const lengths = [1, longest, ...Array.from({ length: 6 }, () => 1 + Math.floor(random() * longest))];
  return lengths.map((length) => {
    const items = Array.from({ length }, () => `i${Math.floor(random() * NUM_ITEMS)}`);
    let time = Date.UTC(2024, 0, 1);
    return { items, timestampsMs: items.map(() => (time += Math.floor(random() ** 4 * 5e7))) };
  });
}

function expectedScores(folder: string, sessions: readonly Asked[]): number[][] {
  const recommender = Recommender.load(folder);
  const answers = recommender.recommend({ sessions, k: NUM_ITEMS, withScores: true });
  recommender.dispose();
  return answers.map(({ items }) => {
    const scores = new Array<number>(NUM_ITEMS).fill(Number.NaN);
    for (const { item, score } of items) scores[Number(item.slice(1))] = score ?? Number.NaN;
    return scores;
  });
}

/** Padded arrays [B, L] of what the graph asks for. */
function padded(sessions: readonly Asked[], length: number) {
  const grid = <T>(of: (session: Asked, place: number) => T, padding: T) =>
    sessions.flatMap((session) =>
      Array.from({ length }, (_, place) => (place < session.items.length ? of(session, place) : padding)),
    );
  return {
    itemIds: grid(({ items }, place) => 3 + Number(items[place].slice(1)), 0),
    timestampsMs: grid(({ timestampsMs }, place) => timestampsMs[place], 0),
  };
}

function expectClose(actual: ArrayLike<number>, expected: readonly number[][], tolerance: number): void {
  const flat = expected.flat();
  expect(actual.length).toBe(flat.length);
  const largest = Math.max(...flat.map(Math.abs), 1);
  flat.forEach((value, i) => {
    const difference = Math.abs(actual[i] - value) / largest;
    if (!(difference <= tolerance)) throw new Error(`score ${i} is ${actual[i]}, expected ${value}`);
  });
}

describe.each(VARIANTS)('%s', (label, name, options) => {
  const slug = label.replace(/\W+/g, '-');
  const folder = join(root, slug);
  let longest = 0;
  beforeAll(async () => {
    const small = { hiddenSize: 8, numHeads: 2, maxLength: MAX_LENGTH };
    await writeUntrained(folder, name, { numItems: NUM_ITEMS, config: { ...smallConfig(name, small), ...options } });
    const opened = readModelFolder(folder);
    longest = (opened.model.maxLength ?? MAX_LENGTH) - opened.objective.numAppended;
    opened.model.dispose();
  });

  const exported = (format: 'onnx' | 'tfjs', how: object): string => {
    const opened = readModelFolder(folder);
    const target = mkdtempSync(join(root, `${slug}-${format}-`));
    exportModel(opened, join(target, 'out'), { format, ...how });
    opened.model.dispose();
    return join(target, 'out');
  };

  test('ONNX, free and fixed sizes: the scores of the recommender to 1e-5', () => {
    const sessions = sessionsOf(longest, 3);
    const expected = expectedScores(folder, sessions);
    const feed = (part: readonly Asked[], length: number): Feed => {
      const { itemIds, timestampsMs } = padded(part, length);
      const dims = [part.length, length];
      return {
        item_ids: { type: 'int64', dims, data: itemIds },
        timestamps_ms: { type: 'int64', dims, data: timestampsMs },
      };
    };
    const together = feed(sessions, longest);
    // Padding changes nothing: all together, and, where sizes are free, each alone without any.
    const alone = sessions.map((one) => feed([one], one.items.length));
    const [free, fixed] = askOnnx([
      { model: join(exported('onnx', {}), 'model.onnx'), feeds: [together, ...alone] },
      {
        model: join(exported('onnx', { batchSize: sessions.length, length: longest }), 'model.onnx'),
        feeds: [together],
      },
    ]);
    expectClose(fixed[0].scores.data, expected, 1e-5);
    expectClose(free[0].scores.data, expected, 1e-5);
    free.slice(1).forEach(({ scores }, s) => {
      expectClose(scores.data, [expected[s]], 1e-5);
    });
  });

  test('TensorFlow.js: the scores of the recommender to 1e-5', async () => {
    const sessions = sessionsOf(longest, 4);
    const expected = expectedScores(folder, sessions);
    const model = await loadGraphModel(exported('tfjs', {}));
    for (const [part, length, scores] of [
      [sessions, longest, expected],
      [sessions.slice(0, 1), 1, expected.slice(0, 1)],
    ] as const) {
      const { itemIds, timestampsMs } = padded(part, length);
      const ints = (values: number[]) => tf.tensor2d(values, [part.length, length], 'int32');
      const all: Record<string, tf.Tensor> = {
        item_ids: ints(itemIds),
        timestamps_s: ints(timestampsMs.map((ms) => Math.floor(ms / 1000))),
        timestamps_rest_ms: ints(timestampsMs.map((ms) => ms % 1000)),
      };
      const feeds = Object.fromEntries(model.inputs.map((input) => [input.name, all[input.name]]));
      // Models that recur step by step hold a loop.
      const output = (
        model.modelTopologyHasLoop ? await model.executeAsync(feeds, 'scores') : model.execute(feeds, 'scores')
      ) as tf.Tensor;
      expectClose(output.dataSync(), scores, 1e-5);
      tf.dispose([output, all]);
    }
    model.dispose();
  });
});

/** As a browser loads it, from the files. */
async function loadGraphModel(folder: string): Promise<tf.GraphModel & { modelTopologyHasLoop: boolean }> {
  const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const bytes = readFileSync(join(folder, 'group1-shard1of1.bin'));
  const model = await tf.loadGraphModel({
    load: async () => ({
      modelTopology: json.modelTopology,
      signature: json.signature,
      weightSpecs: json.weightsManifest[0].weights,
      weightData: new Uint8Array(bytes).buffer,
    }),
  });
  return Object.assign(model, { modelTopologyHasLoop: 'library' in json.modelTopology });
}
