import { datasetFromSessions, objectives, planRollingEvaluation } from '@nimue/data';
import { type LossSpec, losses } from '@nimue/losses';
import { defaultObjective, type ModelSpec, models } from '@nimue/models';
import { fusedKernelFallbacks } from '@nimue/ops';
import { evaluationSchema, runContender, trainingSchema } from '@nimue/trainer';
import { chooseBackend } from './backends/choose-backend.ts';

const NEURAL = Object.entries(models as Record<string, ModelSpec>).filter(([, { kind }]) => kind === 'neural');

/** Walks round a circle of eight items; items 0 to 2 are bought, all others viewed, and item i costs 100 + 10 i. */
const dataset = datasetFromSessions(
  [1, 2].flatMap((day) =>
    Array.from({ length: 48 }, (_, s) => {
      const items = [0, 1, 2, 3].map((step) => (s + step) % 8);
      const type = items.map((item) => (item < 3 ? 'buy' : 'view'));
      const price = items.map((item) => 100 + 10 * item);
      const timestampsMs = items.map((_, place) => Date.UTC(2024, 0, day, 12, 0, place));
      return { items, timestampsMs, columns: { type, price } };
    }),
  ),
  { split: { validShare: 0 } },
);

const multiTask = (losses.weightedSum as LossSpec).configSchema.parse({
  parts: [
    { name: 'crossEntropy' },
    { name: 'binary', column: 'type', is: ['buy'], as: 'bought' },
    { name: 'regression', column: 'price' },
  ],
});

beforeAll(async () => {
  await chooseBackend('native');
});

test.each(NEURAL)('%s learns what comes next, whether it is bought, and what it costs', async (label, spec) => {
  const shape = (spec.configSchema as unknown as { shape: Record<string, unknown> }).shape;
  const small: Record<string, unknown> = { hiddenSize: 16, maxLength: 10 };
  for (const key of Object.keys(shape)) if (/dropout$/i.test(key)) small[key] = 0;
  const config = spec.configSchema.parse(Object.fromEntries(Object.entries(small).filter(([key]) => key in shape)));
  const objective = objectives[defaultObjective(spec, config) as keyof typeof objectives];
  const masked = { maskRate: 0.3, lastItemShare: 0.8 };
  const [result] = await runContender(
    {
      label,
      create: (size) => spec.create(config, size),
      loss: (losses.weightedSum as LossSpec).create(multiTask),
      objective: objective.create(
        objective.configSchema.parse(objective.configSchema.safeParse(masked).success ? masked : {}) as never,
      ),
      // BERT4Rec's output layer has a layer more to learn than the others'.
      training: trainingSchema.parse({ epochs: label === 'bert4rec' ? 120 : 40, batchSize: 16, learningRate: 0.01 }),
    },
    {
      dataset,
      plan: planRollingEvaluation(dataset.windows, { policy: 'incremental' }),
      evaluation: evaluationSchema.parse({ metrics: ['hr@1'] }),
      seed: 1,
    },
  );
  const [bought, price] = result.heads ?? [];
  expect(result.metrics['hr@1']).toBeGreaterThan(0.8);
  // Every walk's last item: 18 of 48 are items 0 to 2, and 100, 110 … 170 come six times each.
  expect(bought).toMatchObject({ head: 'bought', numLabels: 48, metrics: { shareOfYes: 18 / 48 } });
  expect(bought.metrics.auc).toBeGreaterThan(0.95);
  expect(price.metrics.deviation).toBeCloseTo(10 * Math.sqrt(63 / 12), 9);
  expect(price.metrics.rmse).toBeLessThan(0.5 * price.metrics.deviation);
  expect(fusedKernelFallbacks('native')).toEqual([]);
});
