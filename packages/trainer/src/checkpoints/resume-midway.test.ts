import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { datasetFromSessions, featuresSchema, objectives, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { type ModelSize, models } from '@nimue/models';
import { createRandom } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { evaluationSchema, readCheckpointFile, runContender, type TrainerEvent, trainingSchema } from '../index.ts';

/** Three days; day by day an item comes in. */
const dataset = datasetFromSessions(
  Array.from({ length: 24 }, (_, s) => {
    const day = s % 3;
    const items = [0, 1, 2].map((i) => `i${(s + i) % (8 + day)}`);
    const startMs = Date.UTC(2024, 0, 1 + day) + s * 1000;
    return { items, timestampsMs: items.map((_, i) => startMs + i), columns: { kind: items } };
  }),
);
const folders: string[] = [];
const newFolder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'nimue-midway-')));
  return folders[folders.length - 1];
};

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

interface Variant {
  readonly model: 'gru4rec' | 'sasrec';
  readonly training: Record<string, unknown>;
  readonly policy?: Parameters<typeof planRollingEvaluation>[1];
  readonly objective?: 'masked';
  readonly loss?: 'bprMax';
  readonly features?: boolean;
}

const VARIANTS: Record<string, Variant> = {
  'averaged weights, carried optimizer, touched rows, dropout': {
    model: 'gru4rec',
    training: {
      averageDecay: 0.8,
      carryOptimizer: true,
      touchedRowsOnly: true,
      schedule: 'linear',
      scheduleOver: 'run',
    },
    loss: 'bprMax',
  },
  'early stopping, two best epochs, plateau, accumulated batches, features, replay': {
    model: 'sasrec',
    training: {
      earlyStopping: { metric: 'mrr@20', patience: 1 },
      keepBest: ['ndcg@5', 'loss'],
      schedule: 'reduceOnPlateau',
      plateau: { patience: 0 },
      accumulateBatches: 2,
    },
    policy: { policy: 'replay', share: 0.5 },
    objective: 'masked',
    features: true,
  },
  'session-parallel mini-batches': {
    model: 'gru4rec',
    training: { sessionParallel: true, optimizer: 'adagrad', momentum: 0.3 },
  },
};

async function run(
  { model, training, policy = { policy: 'incremental' }, objective, loss = undefined, features }: Variant,
  directory: string,
  options: { everySeconds: number; signal?: AbortSignal; onEvent?: (event: TrainerEvent) => void },
) {
  const spec = models[model];
  const config = {
    hiddenSize: 4,
    ...(features && { inputs: { features: [{ kind: 'category', column: 'kind', size: 2 }] } }),
  };
  const lossSpec = loss ? losses[loss] : losses.crossEntropy;
  const { everySeconds, ...rest } = options;
  const results = await runContender(
    {
      label: model,
      create: (size: ModelSize) => spec.create(spec.configSchema.parse(config) as never, size),
      loss: lossSpec.create(lossSpec.configSchema.parse({}) as never),
      ...(objective && {
        objective: objectives[objective].create(objectives[objective].configSchema.parse({ maskRate: 0.3 })),
      }),
      training: trainingSchema.parse({ epochs: 3, batchSize: 4, learningRate: 0.05, ...training }),
      config,
    },
    {
      dataset,
      plan: planRollingEvaluation(dataset.windows, policy),
      evaluation: evaluationSchema.parse({ metrics: ['mrr@20', 'hr@1'] }),
      features: features ? featuresSchema.parse([{ name: 'categorify', column: 'kind', as: 'kind' }]) : [],
      seed: 7,
      checkpoints: { directory, resume: true, everySeconds },
      ...rest,
    },
  );
  return results.map(({ trainSeconds, evaluateSeconds, ...result }) => result);
}

/** All arrays of all files. */
function arraysIn(directory: string) {
  return readdirSync(directory)
    .sort()
    .map((file) => [
      file,
      [...readCheckpointFile(join(directory, file)).tensors].map(([name, { shape, values }]) => [
        name,
        shape,
        [...values],
      ]),
    ]);
}

test.each(Object.keys(VARIANTS))(
  '%s: stopped in the midst of a window and resumed, it ends with the same bits',
  async (name) => {
    const variant = VARIANTS[name];
    const whole = newFolder();
    let numEvents = 0;
    const expected = await run(variant, whole, { everySeconds: 1e6, onEvent: () => void numEvents++ });
    const random = createRandom(5);
    for (const everySeconds of [1e6, 0.02]) {
      const directory = newFolder();
      let results: typeof expected | undefined;
      let numStops = 0;
      let hasMidst = false;
      while (!results) {
        const controller = new AbortController();
        // Progress between two stops, and seldom enough that the run ends.
        let left = 1 + Math.floor((random() * numEvents) / 4);
        const onEvent = (event: TrainerEvent) => {
          if (event.type === 'windowDone' && event.isRestored) return;
          if (--left === 0) controller.abort(new Error('stopped'));
        };
        try {
          results = await run(variant, directory, { everySeconds, signal: controller.signal, onEvent });
        } catch (error) {
          expect((error as Error).message).toBe('stopped');
          numStops++;
          hasMidst ||= readdirSync(directory).some((file) => file.includes('-step'));
          expect(readdirSync(directory).filter((file) => file.endsWith('.tmp'))).toEqual([]);
        }
      }
      expect(numStops).toBeGreaterThan(1);
      expect(hasMidst).toBe(true);
      expect(results).toEqual(expected);
      expect(arraysIn(directory)).toEqual(arraysIn(whole));
    }
  },
  300_000,
);
