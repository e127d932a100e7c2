import { FIRST_ITEM_ID, MASK_ID, packSessions, type SessionBatch } from '@nimue/batch';
import { deriveSeed, dropout } from '@nimue/ops';
import { assertClose, numericGradient, useTestBackend } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { trainingBatch, withTimes } from '../test/ask.ts';
import { expectSameScores, scoresAfterEveryEvent, scoresOf } from '../test/scores.ts';
import { batchLoss, trainBriefly } from '../test/train-briefly.ts';
import { CASES, create, NUM_ROWS, SESSIONS } from '../test/variants.ts';
import type { ModelSpec } from './model-spec.ts';
import * as models from './models.ts';
import { CarriedStates } from './neural/carried-states.ts';
import type { NewItems } from './new-items.ts';
import type { NeuralModel } from './next-item-model.ts';
import { hiddenAtTargets } from './rank-by-hidden.ts';

beforeAll(() => useTestBackend());

const neuralCases = CASES.filter(([name]) => models[name].kind === 'neural');

describe.each(neuralCases)('%s %s', (name, _label, config) => {
  // Vectors of a usual length, so that a finite step is small beside them.
  const makeNeural = (seed = 1, numRows = NUM_ROWS) =>
    create(name, { ...config, initStd: 0.6 }, numRows, seed) as NeuralModel;

  test('says beforehand what it lets a position see', () => {
    const spec: ModelSpec = models[name];
    const model = makeNeural();
    expect(spec.attention?.(spec.configSchema.parse(config)) ?? 'causal').toBe(model.attention ?? 'causal');
    model.dispose();
  });

  test('same seed, same weights after 5 steps, bit for bit; another seed, others', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => {
      const model = makeNeural(seed);
      trainBriefly(model, trainingBatch(model, SESSIONS), 5);
      const weights = model.parameters.read();
      model.dispose();
      return weights;
    });
    expect(a).toEqual(b);
    expect(a.get('items')).not.toEqual(c.get('items'));
  });

  test('the gradient of every parameter agrees with central differences', () => {
    const model = makeNeural();
    const batch = trainingBatch(model, SESSIONS);
    const { parameters } = model;
    // Biases and position vectors away from 0, where an activation may have a kink or a gradient vanish.
    const weights = parameters.read();
    for (const values of weights.values())
      for (let i = 0; i < values.length; i++) values[i] += 0.1 * Math.sin(3 * i + 1);
    parameters.write(weights);
    const variables = parameters.names.map((name) => parameters.variable(name));
    const { value, grads } = tf.variableGrads(() => batchLoss(model, batch, 7), variables);
    for (const name of parameters.names) {
      const gradient = grads[parameters.variable(name).name];
      expect(gradient).toBeDefined();
      const values = weights.get(name) as Float32Array;
      const places = probes(values.length);
      const probe = Float32Array.from(places, (i) => values[i]);
      const f = () => {
        places.forEach((place, i) => {
          values[place] = probe[i];
        });
        parameters.write(weights);
        return tf.tidy(() => batchLoss(model, batch, 7).dataSync()[0]);
      };
      const computed = gradient.dataSync();
      assertClose(
        name,
        places.map((i) => computed[i]),
        numericGradient(f, probe, 2e-3),
        4e-3,
      );
      f();
    }
    tf.dispose([value, grads]);
    model.dispose();
  });

  test('rows of ids that are never read stay 0 while the others learn', () => {
    const model = makeNeural();
    const before = model.parameters.read().get('items') as Float32Array;
    trainBriefly(model, trainingBatch(model, SESSIONS), 2);
    const after = model.parameters.read().get('items') as Float32Array;
    const width = after.length / NUM_ROWS;
    const numUnread = model.attention && model.attention !== 'causal' ? MASK_ID : FIRST_ITEM_ID;
    expect([...after.subarray(0, numUnread * width)]).toEqual(new Array(numUnread * width).fill(0));
    expect(after.subarray(FIRST_ITEM_ID * width)).not.toEqual(before.subarray(FIRST_ITEM_ID * width));
    model.dispose();
  });

  test('a table that grew equals a table that was large from the start', () => {
    const grown = makeNeural(1, NUM_ROWS);
    grown.resizeItems(NUM_ROWS + 3);
    const large = makeNeural(1, NUM_ROWS + 3);
    expect(grown.parameters.read()).toEqual(large.parameters.read());
    grown.dispose();
    large.dispose();
  });

  test('a new item may start as the mean of others: its score is the mean of theirs, and no other changes', () => {
    const scoresWith = (newItems?: NewItems) => {
      const model = makeNeural();
      if (newItems) model.resizeItems(NUM_ROWS + 2, newItems);
      const scores = scoresAfterEveryEvent(model, SESSIONS);
      model.dispose();
      return scores;
    };
    const before = scoresWith();
    const mean = (of: Map<number, number>, ids: number[]) =>
      ids.reduce((sum, id) => sum + (of.get(id) as number), 0) / ids.length;
    const all = [3, 4, 5, 6, 7, 8];
    const similarTo = (id: number) => (id === NUM_ROWS ? [4, 7] : []);
    for (const [newItems, first] of [
      [{ kind: 'mean' }, all],
      [{ kind: 'similar', similarTo }, [4, 7]],
    ] as const) {
      const after = scoresWith(newItems);
      expectSameScores(
        after.map((of) => new Map([...of].filter(([id]) => id < NUM_ROWS))),
        before,
        1e-6,
      );
      after.forEach((of, n) => {
        expect(of.get(NUM_ROWS)).toBeCloseTo(mean(before[n], [...first]), 4);
        expect(of.get(NUM_ROWS + 1)).toBeCloseTo(mean(before[n], all), 4);
      });
    }
    expect(() => scoresWith({ kind: 'similar', similarTo: () => [NUM_ROWS] })).toThrow(
      'item 9 cannot start like item 9; expected a known item, 3 … 8',
    );
  });

  test('weights written back give the same scores, bit for bit; a wrong length writes nothing', () => {
    const [a, b] = [makeNeural(1), makeNeural(2)];
    b.parameters.write(a.parameters.read());
    expectSameScores(scoresAfterEveryEvent(b, SESSIONS), scoresAfterEveryEvent(a, SESSIONS), 0);
    expect(() => b.parameters.write(new Map([['items', new Float32Array(1)]]))).toThrow("'items' needs");
    a.dispose();
    b.dispose();
  });
});

describe.each([...new Set(neuralCases.map(([name]) => name))])('%s', (name) => {
  test.each(['tied', 'separate'])(
    'itemDropout, %s: a step reads and compares with one table, part of which is dropped',
    (embedding) => {
      const [, , config] = neuralCases.find(([other]) => other === name) as (typeof neuralCases)[number];
      const off = { itemSwapNoise: 0, dropout: 0, inputDropout: 0, hiddenDropout: 0, attentionDropout: 0 };
      const known = Object.keys(models[name].configSchema.shape);
      const own = Object.fromEntries(Object.entries({ ...config, ...off }).filter(([key]) => known.includes(key)));
      const make = (itemDropout: number) =>
        create(name, { ...own, embedding, itemDropout }, NUM_ROWS, 3) as NeuralModel;
      const [plain, dropping, halved] = [make(0), make(0.5), make(0)];
      const batch = trainingBatch(plain, SESSIONS);
      const mode = { training: true, seed: 4 } as const;
      const statesOf = (model: NeuralModel) => tf.tidy(() => hiddenAtTargets(model, batch, mode).arraySync());
      const tableOf = (model: NeuralModel) => tf.tidy(() => model.itemTable(mode).arraySync());

      const values = halved.parameters.read();
      const width = halved.parameters.shape('items')[1];
      for (const [table, draw] of [
        ['items', 0x17d],
        ['outputItems', 0x17c],
      ] as const) {
        const before = values.get(table);
        if (!before) continue;
        const drop = { rate: 0.5, seed: deriveSeed(mode.seed, draw) };
        const dropped = tf.tidy(() => dropout(tf.tensor2d(before, [NUM_ROWS, width]), drop).dataSync());
        values.set(table, dropped as Float32Array);
      }
      halved.parameters.write(values);
      expect(tableOf(dropping)).toEqual(tableOf(halved));
      expect(statesOf(dropping)).toEqual(statesOf(halved));
      expect(statesOf(dropping)).not.toEqual(statesOf(plain));
      expectSameScores(scoresOf(dropping, batch), scoresOf(plain, batch));
      for (const model of [plain, dropping, halved]) model.dispose();
    },
  );

  test('head: mlp is tanh(h W + b) · Eᵀ + a number of each item, on the states h of head: dot', () => {
    const [, , config] = neuralCases.find(([other]) => other === name) as (typeof neuralCases)[number];
    const { itemSize: _, ...own } = config;
    const make = (options: Record<string, unknown>) =>
      create(name, { ...own, ...options, embedding: 'separate' }, NUM_ROWS, 3) as NeuralModel;
    const plain = make({ head: 'dot', itemBias: false });
    const withHead = make({ head: 'mlp', itemBias: true });
    const weights = withHead.parameters.read();
    for (const [parameter, values] of plain.parameters.read()) weights.set(parameter, values);
    for (const parameter of ['head.bias', 'itemBias']) {
      weights.set(
        parameter,
        (weights.get(parameter) as Float32Array).map((_value, i) => Math.sin(i + 1)),
      );
    }
    withHead.parameters.write(weights);
    const batch = trainingBatch(plain, SESSIONS);
    const states = tf.tidy(() => hiddenAtTargets(plain, batch, { training: false }).arraySync());
    const [w, b, table, bias] = ['head.weights', 'head.bias', 'outputItems', 'itemBias'].map(
      (parameter) => weights.get(parameter) as Float32Array,
    );
    const width = b.length;
    const expected = states.map((h) => {
      const asked = Array.from(b, (bc, c) => Math.tanh(h.reduce((sum, hd, d) => sum + hd * w[d * width + c], bc)));
      const score = (id: number) => asked.reduce((sum, x, c) => sum + x * table[id * width + c], bias[id]);
      return new Map([3, 4, 5, 6, 7, 8].map((id) => [id, score(id)] as const));
    });
    expectSameScores(scoresOf(withHead, batch), expected);
    plain.dispose();
    withHead.dispose();
  });

  test('inputNorm and inputLayer: item vectors x become tanh(norm(x) W + b) before anything else', () => {
    const [, , config] = neuralCases.find(([other]) => other === name) as (typeof neuralCases)[number];
    const { itemSize: _, inputs: _inputs, ...known } = config;
    const own = { ...known, scaleItems: false, embedding: 'separate', head: 'dot' };
    const options = Object.keys(models[name].configSchema.shape);
    const make = (more: Record<string, unknown>) => {
      const given = Object.entries({ ...own, ...more }).filter(([option]) => options.includes(option));
      return create(name, Object.fromEntries(given), NUM_ROWS, 3) as NeuralModel;
    };
    const [layered, plain] = [make({ inputNorm: true, inputLayer: 'mlp' }), make({})];
    const weights = layered.parameters.read();
    const of = (parameter: string) => weights.get(parameter) as Float32Array;
    for (const parameter of ['inputNorm.gamma', 'inputNorm.beta', 'inputLayer.bias']) {
      of(parameter).forEach((_value, i, values) => {
        values[i] = Math.cos(3 * i + 1);
      });
    }
    layered.parameters.write(weights);
    const [, width] = layered.parameters.shape('items');
    // The plain model reads the vectors that come out of the layer from its table.
    const seen = new Float32Array(NUM_ROWS * width);
    for (let id = 0; id < NUM_ROWS; id++) {
      const row = Array.from(of('items').subarray(id * width, (id + 1) * width));
      const mean = row.reduce((sum, x) => sum + x, 0) / width;
      const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / width;
      const normed = row.map(
        (x, c) => ((x - mean) / Math.sqrt(variance + 1e-5)) * of('inputNorm.gamma')[c] + of('inputNorm.beta')[c],
      );
      for (let c = 0; c < width; c++) {
        const sum = normed.reduce(
          (sum, x, d) => sum + x * of('inputLayer.weights')[d * width + c],
          of('inputLayer.bias')[c],
        );
        seen[id * width + c] = Math.tanh(sum);
      }
    }
    const others = [...plain.parameters.read()].map(([parameter]) => [parameter, of(parameter)] as const);
    plain.parameters.write(new Map([...others, ['items', seen]]));
    const batch = trainingBatch(plain, SESSIONS);
    expectSameScores(scoresOf(layered, batch), scoresOf(plain, batch));
    plain.dispose();
    layered.dispose();
  });
});

/** A few places, spread over the array. */
function probes(length: number): number[] {
  const count = Math.min(length, 6);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * length) / count));
}

describe('options that do not fit are refused in their own words', () => {
  const issue = (name: keyof typeof models, config: Record<string, unknown>) =>
    models[name].configSchema.safeParse(config).error?.issues[0];
  const blocks = Object.keys(models).filter((name) => {
    const schema = models[name as keyof typeof models].configSchema;
    return schema.safeParse({ numHeads: 1 }).success;
  }) as (keyof typeof models)[];

  test.each(blocks)('%s: heads that do not divide the width, no blocks, no width', (name) => {
    expect(issue(name, { hiddenSize: 6, numHeads: 4 })).toMatchObject({
      path: ['numHeads'],
      message: 'hiddenSize must be a multiple of numHeads',
    });
    expect(issue(name, { numBlocks: 0 })).toMatchObject({ path: ['numBlocks'], code: 'too_small' });
    expect(issue(name, { hiddenSize: 0 })).toMatchObject({ path: ['hiddenSize'], code: 'too_small' });
  });

  test('item vectors of another width than the body need a head between them', () => {
    expect(issue('gru4rec', { hiddenSize: 8, itemSize: 4 })).toMatchObject({
      path: ['itemSize'],
      message: expect.stringContaining('itemSize is 4 and hiddenSize 8, which head: dot cannot compare'),
    });
    expect(issue('gru4rec', { numLayers: 0 })).toMatchObject({ path: ['numLayers'], code: 'too_small' });
  });
});

const READS_FEATURES = {
  inputs: {
    aggregation: 'sumTimesItem',
    features: [
      { kind: 'category', column: 'brand' },
      { kind: 'projection', column: 'price' },
    ],
  },
};

test.each([{}, READS_FEATURES])(
  'gru4rec, click by click with its state carried, gives the states of whole sessions: %j',
  (more) => {
    const config = { hiddenSize: 5, numLayers: 2, inputDropout: 0, hiddenDropout: 0, ...more };
    const model = create('gru4rec', config) as NeuralModel;
    const hidden = (batch: SessionBatch, carried?: CarriedStates) =>
      tf.tidy(() => model.encode(batch, { training: false, carried }).arraySync());
    const [first, second, third] = [
      [3, 5, 7],
      [4, 6],
      [8, 8, 3, 4],
    ].map((session) => hidden(withTimes(packSessions([session]))));
    const states = new CarriedStates();
    const step = (itemIds: number[], lanes: number[], resets: number[]) => {
      states.begin(lanes, resets);
      return hidden(withTimes(packSessions(itemIds.map((id) => [id]))), states);
    };
    // lane 0: the first session and then the third; lane 1: the second, then given up
    const steps = [
      step([3, 4], [0, 1], [1, 1]),
      step([5, 6], [0, 1], [0, 0]),
      step([7], [0], [0]),
      step([8], [0], [1]),
      step([8], [0], [0]),
    ];
    const lane0 = [...first, third[0], third[1]];
    steps.forEach(([state], i) => {
      assertClose(`lane 0, step ${i}`, state, lane0[i], 1e-6);
    });
    assertClose('lane 1', [...steps[0][1], ...steps[1][1]], second.flat(), 1e-6);
    expect(() => hidden(withTimes(packSessions([[3, 4]])), states)).toThrow('have one event');
    model.dispose();
    const sasrec = create('sasrec', {}) as NeuralModel;
    expect(() => sasrec.encode(packSessions([[3]]), { training: false, carried: states })).toThrow('carries no state');
    sasrec.dispose();
    // What looks at more of the session than the click cannot be carried.
    for (const input of [{ kind: 'timeInterval' }, { kind: 'category', column: 'device', role: 'contextAfter' }]) {
      const looksBack = create('gru4rec', { ...config, inputs: { features: [input] } }) as NeuralModel;
      expect(looksBack.carriesState).toBeUndefined();
      looksBack.dispose();
    }
  },
);
