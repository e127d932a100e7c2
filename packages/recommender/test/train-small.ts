import { datasetFromSessions, type FeatureConfig, objectives, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { defaultObjective, type ModelSpec, models } from '@nimue/models';
import { evaluationSchema, runContender, trainingSchema, type WindowResult } from '@nimue/trainer';
import { type Cell, writeModelFolder } from '../src/index.ts';

/** Three days; day by day an item comes in, and some sessions hold one that training has not seen. */
export const PLAIN = Array.from({ length: 48 }, (_, s) => {
  const day = s % 3;
  const items = Array.from({ length: 2 + (s % 4) }, (_, i) => `i${(s + i * i) % (8 + day)}`);
  const startMs = Date.UTC(2024, 0, 1 + day) + s * 100_000;
  return { items, timestampsMs: items.map((_, i) => startMs + i * 1000) };
});
/** The sessions of the day that is evaluated. */
export const QUESTIONS = PLAIN.filter((_, s) => s % 3 === 2);

export interface TrainSmallOptions {
  readonly label?: string;
  readonly sessions?: readonly {
    readonly items: readonly string[];
    readonly timestampsMs: readonly number[];
    readonly columns?: Readonly<Record<string, readonly Cell[]>>;
  }[];
  readonly seenItems?: 'keep' | 'exclude';
  readonly features?: readonly FeatureConfig[];
  /** Of the model, besides a small size. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly training?: Readonly<Record<string, unknown>>;
  readonly titles?: Readonly<Record<string, string>>;
}

/** Trains a small model through the days and keeps it in a folder. @returns its last window */
export async function trainSmall(name: string, folder: string, options: TrainSmallOptions = {}): Promise<WindowResult> {
  const { label = name, sessions = PLAIN, seenItems = 'keep', features, training, titles } = options;
  const dataset = datasetFromSessions(sessions, { split: { validShare: 0 } });
  const plan = planRollingEvaluation(dataset.windows, { policy: 'incremental' });
  const spec = (models as unknown as Record<string, ModelSpec>)[name];
  const shape = (spec.configSchema as unknown as { shape?: Record<string, unknown> }).shape ?? {};
  const small = Object.entries({ hiddenSize: 4, maxLength: 3 }).filter(([key]) => key in shape);
  const config = spec.configSchema.parse({ ...Object.fromEntries(small), ...options.config });
  const taught = defaultObjective(spec, config) as keyof typeof objectives;
  const objective = objectives[taught].create(objectives[taught].configSchema.parse({}) as never);
  const contender = {
    label,
    create: (size: Parameters<ModelSpec['create']>[1]) => spec.create(config, size),
    loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
    objective,
    training: trainingSchema.parse({ epochs: 1, batchSize: 8, averageDecay: 0.5, ...training }),
  };
  const results = await runContender(contender, {
    dataset,
    plan,
    evaluation: evaluationSchema.parse({ metrics: ['mrr@20'], seenItems }),
    features,
    seed: 7,
    onTrained: (trained) => writeModelFolder(folder, trained, { model: { name, config }, titles }),
  });
  return results[results.length - 1];
}
