import { FIRST_ITEM_ID, positionsInSession, type SessionBatch } from '@nimue/batch';
import {
  datasetFromSessions,
  type EncodedSessions,
  type Objective,
  objectives,
  packBatches,
  packInferenceBatches,
  planRollingEvaluation,
} from '@nimue/data';
import { losses } from '@nimue/losses';
import { hiddenAtTargets, type ModelSpec, models, type NeuralModel } from '@nimue/models';
import { assertClose } from '@nimue/testing';
import { type Contender, evaluationSchema, runContender, trainingSchema } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import { chooseBackend } from './backends/choose-backend.ts';

const NUM_ITEMS = 9;
const MAX_LENGTH = 6;

/** Every neural model of the list, in every way that it can attend. */
const BODIES = Object.entries(models as Record<string, ModelSpec>)
  .filter(([, { kind }]) => kind === 'neural')
  .flatMap(([name, spec]) => {
    const shape = (spec.configSchema as unknown as { shape: Record<string, unknown> }).shape;
    const small: Record<string, unknown> = { hiddenSize: 8, maxLength: MAX_LENGTH, initStd: 0.5 };
    for (const key of Object.keys(shape)) if (/dropout$/i.test(key)) small[key] = 0;
    const config = Object.fromEntries(Object.entries(small).filter(([key]) => key in shape));
    const forms =
      name === 'xlnet' ? [{ attention: 'causal' }, { attention: 'twoStream' }, {}, { discriminatorWeight: 1 }] : [{}];
    return forms.map((form) => {
      const parsed = spec.configSchema.parse({ ...config, ...form });
      const label = [name, ...Object.entries(form).map(([key, value]) => `${key}: ${String(value)}`)].join(' ');
      return { label, spec, config: parsed, attention: spec.attention?.(parsed) ?? 'causal' };
    });
  });

/** What may be learned without seeing it; replaced items only by those that tell them from true ones. */
const FITTING = {
  causal: ['causal', 'lastItem', 'masked'],
  bidirectional: ['lastItem', 'masked'],
  twoStream: ['permutation'],
};

const PAIRS = BODIES.flatMap((body) =>
  Object.keys(objectives).map((name) => {
    const fits =
      FITTING[body.attention].includes(name) || (name === 'replacedToken' && body.spec.discriminates?.(body.config));
    return { ...body, name: name as keyof typeof objectives, fits: fits === true };
  }),
);

const create = (name: keyof typeof objectives): Objective =>
  objectives[name].create(objectives[name].configSchema.parse({}) as never);

function encoded(sessions: readonly (readonly number[])[]): EncodedSessions {
  const offsets = new Int32Array(sessions.length + 1);
  sessions.forEach((session, b) => {
    offsets[b + 1] = offsets[b] + session.length;
  });
  return {
    itemIds: Int32Array.from(sessions.flat()),
    offsets,
    timestampsMs: Float64Array.from(positionsInSession(offsets), (place) => 60_000 * place),
    sessionKeys: Int32Array.from(sessions.keys()),
  };
}

const SESSIONS = [
  [3, 5, 7, 4, 8],
  [4, 6],
  [9, 11, 3, 10, 4, 5],
];

/** The same with another item as event i of all. */
function withOtherItem(sessions: EncodedSessions, i: number): EncodedSessions {
  const itemIds = sessions.itemIds.slice();
  itemIds[i] = FIRST_ITEM_ID + ((itemIds[i] - FIRST_ITEM_ID + 1) % NUM_ITEMS);
  return { ...sessions, itemIds };
}

beforeAll(async () => {
  await chooseBackend('native');
});

describe.each(PAIRS.filter(({ fits }) => fits))('$label × $name', ({ spec, config, name }) => {
  const objective = create(name);
  let model: NeuralModel;
  beforeEach(() => {
    model = spec.create(config, { numRows: FIRST_ITEM_ID + NUM_ITEMS, seed: 5 }) as NeuralModel;
    // Biases and the vector of the mask away from 0.
    const weights = model.parameters.read();
    for (const values of weights.values())
      for (let i = 0; i < values.length; i++) values[i] += 0.1 * Math.sin(3 * i + 1);
    model.parameters.write(weights);
  });
  afterEach(() => model.dispose());

  const scoresOf = (sessions: EncodedSessions, targetIds?: Int32Array) => {
    const options = { batchSize: 2, maxLength: model.maxLength, objective, targetIds };
    return [...packInferenceBatches(sessions, options)].flatMap((batch) => {
      const { itemIds, scores } = model.recommend(batch, NUM_ITEMS);
      return Array.from({ length: itemIds.length / NUM_ITEMS }, (_, n) => {
        const own = new Float32Array(NUM_ITEMS);
        for (let i = n * NUM_ITEMS; i < (n + 1) * NUM_ITEMS; i++) own[itemIds[i] - FIRST_ITEM_ID] = scores[i];
        return own;
      });
    });
  };

  test('in training no target is seen where it is predicted', () => {
    const sessions = encoded(SESSIONS);
    const batchOf = (of: EncodedSessions): SessionBatch => {
      const [batch] = packBatches(of, { batchSize: 8, maxLength: MAX_LENGTH, seed: 1, objective });
      return batch;
    };
    const statesOf = (batch: SessionBatch) =>
      tf.tidy(() => hiddenAtTargets(model, batch, { training: false }).arraySync()) as number[][];
    const before = batchOf(sessions);
    const states = statesOf(before);
    expect(before.targets.positions.length).toBeGreaterThan(0);
    before.targets.positions.forEach((position, n) => {
      const b = before.offsets.findIndex((from, s) => from <= position && position < before.offsets[s + 1]);
      const key = (before.sessionKeys as Int32Array)[b];
      const event = sessions.offsets[key] + (position - before.offsets[b]) + objective.numTargetOnly;
      expect(sessions.itemIds[event]).toBe(before.targets.itemIds[n]);
      const after = batchOf(withOtherItem(sessions, event));
      expect(after.targets.itemIds[n]).not.toBe(before.targets.itemIds[n]);
      assertClose(`target ${n}`, statesOf(after)[n], states[n], 0);
    });
  });

  test('asked for the next item it sees every real item, and never the next one', () => {
    const sessions = encoded([[3, 5, 7, 4, 8]]);
    const [scores] = scoresOf(sessions, Int32Array.of(6));
    expect(scoresOf(sessions, Int32Array.of(9))).toEqual([scores]);
    expect(scoresOf(sessions)).toEqual([scores]);
    for (let i = 0; i < 5; i++) expect([i, scoresOf(withOtherItem(sessions, i))]).not.toEqual([i, [scores]]);
  });

  test('of a session that is too long it sees the newest items, as if there were no others', () => {
    const items = [3, 5, 7, 4, 8, 6, 10, 4, 9, 11];
    const whole = encoded([items]);
    const numSeen = model.maxLength === undefined ? items.length : model.maxLength - objective.numAppended;
    const from = items.length - numSeen;
    const newest = { ...encoded([items.slice(from)]), timestampsMs: whole.timestampsMs?.slice(from) };
    const scores = scoresOf(whole);
    expect(scoresOf(newest)).toEqual(scores);
    for (let i = 0; i < items.length; i++) {
      if (i < from) expect([i, scoresOf(withOtherItem(whole, i))]).toEqual([i, scores]);
      else expect([i, scoresOf(withOtherItem(whole, i))]).not.toEqual([i, scores]);
    }
  });
});

const dataset = datasetFromSessions(
  Array.from({ length: 16 }, (_, s) => ({
    items: Array.from({ length: 3 + (s % 3) }, (_value, i) => `i${(s + i * i) % NUM_ITEMS}`),
    timestampsMs: Array.from({ length: 3 + (s % 3) }, (_value, i) => (s % 2) * 86_400_000 + 60_000 * (s + i)),
  })),
);

test.each(PAIRS)(
  '$label × $name: runs over the windows if nothing would leak, and is refused if it would',
  async ({ label, spec, config, name, fits, attention }) => {
    const contender: Contender = {
      label,
      create: (size) => spec.create(config, size),
      objective: create(name),
      loss: losses.crossEntropy.create({ temperature: 1, labelSmoothing: 0 }),
      training: trainingSchema.parse({ epochs: 1 }),
    };
    const run = runContender(contender, {
      dataset,
      plan: planRollingEvaluation(dataset.windows, { policy: 'incremental' }),
      evaluation: evaluationSchema.parse({ metrics: ['hr@3'] }),
      seed: 1,
      onEvent: () => {},
    });
    if (fits) {
      const [{ loss, numTargets }] = await run;
      expect(loss).toBeGreaterThan(0);
      expect(numTargets).toBeGreaterThan(0);
      return;
    }
    const why = {
      causal: name === 'replacedToken' ? 'needs a model with a discriminator' : 'because they are among its inputs',
      bidirectional:
        name === 'causal'
          ? 'would see the items after it, and so its own target'
          : /among its inputs|the items after it|needs a model with a discriminator/,
      twoStream: 'it needs the factorisation order that only the permutation objective draws',
    }[attention];
    await expect(run).rejects.toThrow(why);
  },
);
