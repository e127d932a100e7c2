import { packSessions, type SessionBatch } from '@nimue/batch';
import * as tf from '@tensorflow/tfjs';
import { featuresOf, inferenceBatch, trainingBatch, withTimes } from '../../test/ask.ts';
import { trainBriefly } from '../../test/train-briefly.ts';
import { CASES, create, NUM_ROWS, SESSIONS } from '../../test/variants.ts';
import * as models from '../models.ts';
import type { NeuralModel } from '../next-item-model.ts';
import { SessionMemory } from './session-memory.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});

const NUM_ITEMS = NUM_ROWS - 3;
const neural = CASES.filter(([name]) => models[name].kind === 'neural');
const made = (name: (typeof CASES)[number][0], config: Record<string, unknown>) =>
  create(name, { ...config, initStd: 0.6 }, NUM_ROWS, 1) as NeuralModel;
const remembering = neural.filter(([name, , config]) => {
  const model = made(name, config);
  const { remembersSessions } = model;
  model.dispose();
  return remembersSessions;
});

/** Scores by item of everything that can be recommended. */
function scoresOf(model: NeuralModel, batch: SessionBatch, memory?: SessionMemory): Map<number, number> {
  const { itemIds, scores } = model.recommend(batch, NUM_ITEMS, { memory });
  return new Map([...itemIds].map((id, place) => [id, scores[place]]));
}

function expectSame(actual: Map<number, number>, expected: Map<number, number>) {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [id, score] of expected) expect(Math.abs((actual.get(id) as number) - score)).toBeLessThan(2e-5);
}

test('every recurrent and every causal attention model remembers sessions; no other does', () => {
  expect([...new Set(remembering.map(([name]) => name))].sort()).toEqual(
    ['esasrec', 'gpt2', 'gru4rec', 'gsasrec', 'hstu', 'lrurec', 'narm', 'sasrec', 'transformerXl', 'xlnet'].sort(),
  );
});

describe.each(remembering)('%s %s', (name, _label, config) => {
  const clicks = [3, 5, 4, 4, 7, 6, 3, 8, 5, 6, 7, 3, 4];
  let model: NeuralModel;
  beforeAll(() => {
    model = made(name, config);
    trainBriefly(model, trainingBatch(model, SESSIONS), 3);
  });
  afterAll(() => model.dispose());
  const askedAfter = (numClicks: number) => {
    const visible = clicks.slice(Math.max(0, numClicks - (model.maxLength ?? clicks.length)), numClicks);
    return inferenceBatch(model, [visible]);
  };

  test('click by click the scores are those of the whole session, also beyond what the model sees', () => {
    const memory = new SessionMemory();
    for (let numClicks = 1; numClicks <= clicks.length; numClicks++) {
      expectSame(scoresOf(model, askedAfter(numClicks), memory), scoresOf(model, askedAfter(numClicks)));
      expect(memory.numSeen).toBe(askedAfter(numClicks).itemIds.length);
    }
  });

  test('several clicks at once, no new click, another session, and features or times that change', () => {
    const memory = new SessionMemory();
    const longest = Math.min(9, model.maxLength ?? 9);
    for (const numClicks of [2, longest, longest, 1, longest]) {
      expectSame(scoresOf(model, askedAfter(numClicks), memory), scoresOf(model, askedAfter(numClicks)));
    }
    const later = withTimes(askedAfter(longest));
    const changed: SessionBatch = {
      ...later,
      timestampsMs: later.timestampsMs?.map((time) => 5 * time),
      features: featuresOf(later.itemIds.map((id) => id + 1)),
    };
    expectSame(scoresOf(model, changed, memory), scoresOf(model, changed));
  });

  test('no tensor is left behind', () => {
    const memory = new SessionMemory();
    const { numTensors } = tf.memory();
    for (const numClicks of [1, 2, 3]) scoresOf(model, askedAfter(Math.min(numClicks, model.maxLength ?? 3)), memory);
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

test.each([
  ['gru4rec', 8],
  ['lrurec', 8],
  // Its attention looks at every state again.
  ['narm', 4],
  ['sasrec', 8],
  ['esasrec', 8],
  ['gpt2', 8],
  ['hstu', 8],
  ['transformerXl', 8],
] as const)('%s: of 100 clicks the last costs less than 1/%s of all', async (name, share) => {
  const spec = models[name];
  const shape = (spec.configSchema as unknown as { shape: object }).shape;
  const config = { hiddenSize: 16, ...('maxLength' in shape && { maxLength: 100 }) };
  const model = spec.create(spec.configSchema.parse(config) as never, { numRows: NUM_ROWS, seed: 1 }) as NeuralModel;
  const clicks = Array.from({ length: 100 }, (_, i) => 3 + (i % NUM_ITEMS));
  const ask = (numClicks: number) => inferenceBatch(model, [clicks.slice(0, numClicks)]);
  const memory = new SessionMemory();
  /** Numbers that the kernels compute. */
  const work = async (numClicks: number, kept?: SessionMemory) => {
    let hidden: tf.Tensor | undefined;
    const { kernels } = await tf.profile(() => {
      hidden = tf.tidy(() =>
        (model.encodeTargets as NonNullable<NeuralModel['encodeTargets']>)(ask(numClicks), {
          training: false,
          memory: kept,
        }),
      );
      return hidden;
    });
    hidden?.dispose();
    return kernels.reduce((sum, { outputShapes }) => {
      const sizes = outputShapes.map((shape) => (shape as number[]).reduce((product, n) => product * n, 1));
      return sum + sizes.reduce((a, b) => a + b, 0);
    }, 0);
  };
  await work(99, memory);
  expect(await work(100, memory)).toBeLessThan((await work(100)) / share);
  model.dispose();
});

test('a memory is for one session at its newest event, and for models that keep one', () => {
  const model = made('sasrec', {});
  const ask = (sessions: number[][]) => inferenceBatch(model, sessions);
  const memory = new SessionMemory();
  expect(() => scoresOf(model, ask([[3], [4]]), memory)).toThrow('the batch has 2 sessions');
  const early = packSessions([[3, 4]], { positions: Int32Array.of(0), itemIds: Int32Array.of(3) });
  expect(() => scoresOf(model, early, memory)).toThrow('only the newest event can be asked about, position 1');
  model.dispose();
  const twoWay = made('bert4rec', {});
  expect(() => scoresOf(twoWay, inferenceBatch(twoWay, [[3]]), memory)).toThrow('keeps no memory of sessions');
  twoWay.dispose();
});
