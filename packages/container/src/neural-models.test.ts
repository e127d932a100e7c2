import { FIRST_ITEM_ID, positionsInSession } from '@nimue/batch';
import {
  type EncodedSessions,
  hideNewest,
  type Objective,
  objectives,
  packBatches,
  packInferenceBatches,
} from '@nimue/data';
import { losses } from '@nimue/losses';
import { defaultObjective, type ModelSpec, models, type NeuralModel } from '@nimue/models';
import { fusedKernelFallbacks } from '@nimue/ops';
import { assertClose, checkerboardSessions, createRandom } from '@nimue/testing';
import { type FitStep, fitWindow, lossAndGradients, Optimizer, optimizers, trainingSchema } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import type { BackendName } from './backends/backend.ts';
import { chooseBackend } from './backends/choose-backend.ts';

/** Other objectives of the same model: further rows under its name and what tells it apart. */
const VARIANTS: Record<string, Record<string, unknown>[]> = {
  xlnet: [{ attention: 'causal' }, { attention: 'twoStream' }, { discriminatorWeight: 1 }],
};

/** Every neural model of the list, small, with the objective it has when an experiment names none. */
const NEURAL = Object.entries(models as Record<string, ModelSpec>)
  .filter(([, { kind }]) => kind === 'neural')
  .flatMap(([name, spec]) => {
    const shape = (spec.configSchema as unknown as { shape: Record<string, unknown> }).shape;
    const small: Record<string, unknown> = { hiddenSize: 16, maxLength: 10 };
    for (const key of Object.keys(shape)) if (/dropout$/i.test(key)) small[key] = 0;
    const config = Object.fromEntries(Object.entries(small).filter(([key]) => key in shape));
    return [{}, ...(VARIANTS[name] ?? [])].map((variant) => {
      const label = [name, ...Object.entries(variant).map(([key, value]) => `${key}: ${String(value)}`)].join(' ');
      return [label, spec, spec.configSchema.parse({ ...config, ...variant })] as const;
    });
  });

function objectiveFor(spec: ModelSpec, config: unknown): Objective {
  const { configSchema, create } = objectives[defaultObjective(spec, config) as keyof typeof objectives];
  const masked = { maskRate: 0.3, lastItemShare: 0.5 };
  return create(configSchema.parse(configSchema.safeParse(masked).success ? masked : {}) as never);
}

function encoded(sessions: readonly (readonly number[])[]): EncodedSessions {
  const offsets = new Int32Array(sessions.length + 1);
  sessions.forEach((session, b) => {
    offsets[b + 1] = offsets[b] + session.length;
  });
  // one event a minute
  const timestampsMs = Float64Array.from(positionsInSession(offsets), (place) => 60_000 * place);
  return { itemIds: Int32Array.from(sessions.flat()), offsets, timestampsMs };
}

function ranksOf(model: NeuralModel, objective: Objective, sessions: EncodedSessions): number[] {
  const { visible, targetIds } = hideNewest(sessions);
  const options = { batchSize: 64, maxLength: model.maxLength, objective, targetIds };
  return [...packInferenceBatches(visible, options)].flatMap((batch) => [...model.rankTargets(batch)]);
}

async function train(
  model: NeuralModel,
  objective: Objective,
  sessions: EncodedSessions,
  epochs: number,
  onStep?: (step: FitStep) => void,
) {
  const config = trainingSchema.parse({ epochs, batchSize: 16, learningRate: 0.01, schedule: 'linear' });
  const optimizer = new Optimizer(optimizers.adam(config));
  const loss = losses.crossEntropy.create({ temperature: 1, labelSmoothing: 0 });
  await fitWindow({ model, loss, objective, optimizer, sessions, config, seed: 3, window: 'all', onStep });
  optimizer.dispose();
}

describe('on the fastest backend', () => {
  beforeAll(async () => {
    await chooseBackend('auto');
  });

  test.each(NEURAL)(
    '%s learns the checkerboard: the next item of the walk comes first',
    async (_name, spec, config) => {
      const numItems = 8;
      const walks = (numSessions: number, length: number) =>
        encoded(checkerboardSessions({ firstItemId: FIRST_ITEM_ID, numItems, numSessions, length }));
      const objective = objectiveFor(spec, config);
      const model = spec.create(config, { numRows: numItems + FIRST_ITEM_ID, seed: 3 }) as NeuralModel;
      // Those that predict hidden items only see fewer targets in a session.
      await train(model, objective, walks(32, 6), objective.name === 'causal' ? 40 : 150);
      const ranks = ranksOf(model, objective, walks(8, 6));
      model.dispose();
      expect(ranks).toEqual(new Array(ranks.length).fill(1));
    },
  );

  test('replaced-token detection: generator and discriminator both learn', async () => {
    const walks = checkerboardSessions({ firstItemId: FIRST_ITEM_ID, numItems: 8, numSessions: 32, length: 6 });
    const objective = objectives.replacedToken.create({ maskRate: 0.3, lastItemShare: 0 });
    for (const bodies of ['tied', 'separate'] as const) {
      const config = models.electra.configSchema.parse({ hiddenSize: 16, dropout: 0, bodies });
      const model = models.electra.create(config, { numRows: 8 + FIRST_ITEM_ID, seed: 3 }) as NeuralModel;
      const losses: number[] = [];
      await train(model, objective, encoded(walks), 150, ({ loss }) => losses.push(loss));
      model.dispose();
      // ln 8 for the generator and about ln 2 for the discriminator before anything is learned; in the end less together
      // than the discriminator's share of it.
      expect(losses[0]).toBeGreaterThan(Math.log(8));
      const last = losses.slice(-20).reduce((sum, loss) => sum + loss, 0) / 20;
      expect(last).toBeLessThan(0.3);
    }
  });

  test.each(NEURAL)(
    '%s learns to copy: what was clicked before the newest item comes back',
    async (_name, spec, config) => {
      const numItems = 8;
      const pairs: number[][] = [];
      for (let a = 0; a < numItems; a++) {
        for (let b = 0; b < numItems; b++) if (a !== b) pairs.push([a, b, a, b].map((i) => i + FIRST_ITEM_ID));
      }
      const objective = objectiveFor(spec, config);
      const model = spec.create(config, { numRows: numItems + FIRST_ITEM_ID, seed: 3 }) as NeuralModel;
      await train(model, objective, encoded(pairs), 200);
      const ranks = ranksOf(model, objective, encoded(pairs));
      model.dispose();
      expect(ranks.filter((rank) => rank === 1).length / ranks.length).toBeGreaterThan(0.9);
    },
  );
});

const WALKS = encoded([
  [3, 5, 7, 3, 8],
  [4, 6],
  [9, 9, 3, 10, 4, 5],
]);

/** What is compared with plain JavaScript; tensorflow where its folder is named. */
const OTHERS: readonly BackendName[] = process.env.NIMUE_TENSORFLOW_DIRECTORY
  ? ['wasm', 'native', 'tensorflow']
  : ['wasm', 'native'];

test.each(NEURAL)(
  `%s: loss, gradients and ranks are the same on cpu, ${OTHERS.join(', ')}`,
  async (_name, spec, config) => {
    const objective = objectiveFor(spec, config);
    const loss = losses.crossEntropy.create({ temperature: 1, labelSmoothing: 0 });
    const numbersOn = async (backend: BackendName) => {
      await chooseBackend(backend);
      const model = spec.create(config, { numRows: 11, seed: 5 }) as NeuralModel;
      const [batch] = packBatches(WALKS, { batchSize: 8, maxLength: model.maxLength, seed: 1, objective });
      const { value, gradients } = lossAndGradients(model, loss, batch, 7);
      const numbers = {
        loss: value.dataSync()[0],
        gradients: new Map(Object.entries(gradients).map(([name, gradient]) => [name, gradient.dataSync().slice()])),
        ranks: ranksOf(model, objective, WALKS),
      };
      tf.dispose([value, gradients]);
      model.dispose();
      return numbers;
    };
    const cpu = await numbersOn('cpu');
    for (const backend of OTHERS) {
      const other = await numbersOn(backend);
      assertClose(`${backend}: loss`, [other.loss], [cpu.loss], 1e-5);
      expect([...other.gradients.keys()]).toEqual([...cpu.gradients.keys()]);
      for (const [name, gradient] of cpu.gradients) {
        assertClose(`${backend}: gradient of ${name}`, other.gradients.get(name) ?? [], gradient, 1e-4);
      }
      expect(other.ranks).toEqual(cpu.ranks);
    }
    expect(fusedKernelFallbacks('native')).toEqual([]);
  },
);

test('nothing of a training step or a ranking falls back to JavaScript at a usual size', async () => {
  await chooseBackend('native');
  const { nativeBackendFallbacks } = await import('@nimue/backend-native');
  const random = createRandom(2);
  const sessions = encoded(
    Array.from({ length: 256 }, () => Array.from({ length: 10 }, () => FIRST_ITEM_ID + Math.floor(random() * 400))),
  );
  const loss = losses.crossEntropy.create({ temperature: 1, labelSmoothing: 0 });
  for (const [label, spec, config] of NEURAL) {
    const wide = { ...(config as object), hiddenSize: 64 };
    const model = spec.create(spec.configSchema.parse(wide), { numRows: 403, seed: 5 }) as NeuralModel;
    const objective = objectiveFor(spec, wide);
    const [batch] = packBatches(sessions, { batchSize: 256, maxLength: model.maxLength, seed: 1, objective });
    const { value, gradients } = lossAndGradients(model, loss, batch, 7);
    tf.dispose([value, gradients]);
    ranksOf(model, objective, sessions);
    model.dispose();
    expect([label, nativeBackendFallbacks(), fusedKernelFallbacks('native')]).toEqual([label, [], []]);
  }
});

test.each(['gru4rec', 'sasrec', 'bert4rec'])(
  `%s: its training curve is the same on ${OTHERS.join(', ')}`,
  async (name) => {
    const [, spec, config] = NEURAL.find(([label]) => label === name) as (typeof NEURAL)[number];
    const walks = encoded(
      checkerboardSessions({ firstItemId: FIRST_ITEM_ID, numItems: 12, numSessions: 48, length: 8 }),
    );
    const curveOn = async (backend: BackendName) => {
      await chooseBackend(backend);
      const model = spec.create(config, { numRows: 12 + FIRST_ITEM_ID, seed: 3 }) as NeuralModel;
      const losses: number[] = [];
      const numTensors: number[] = [];
      await train(model, objectiveFor(spec, config), walks, 10, ({ loss }) => {
        losses.push(loss);
        numTensors.push(tf.memory().numTensors);
      });
      model.dispose();
      // Once the optimizer's state is there nothing more is kept from step to step.
      expect(new Set(numTensors.slice(1)).size).toBe(1);
      return losses;
    };
    const native = await curveOn('native');
    expect(native).toHaveLength(30);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(native.slice(-6))).toBeLessThan(0.9 * mean(native.slice(0, 6)));
    for (const backend of OTHERS) assertClose(`${backend}: loss by step`, await curveOn(backend), native, 2e-3);
  },
);
