import { type FeaturePipeline, ItemVocabulary, type Objective, type ObjectiveSpec, objectives } from '@nimue/data';
import { defaultObjective, type ModelSpec, models } from '@nimue/models';
import { createRandom } from '@nimue/testing';
import type { TrainedModel } from '@nimue/trainer';
import { writeModelFolder } from '../src/index.ts';

export interface UntrainedOptions {
  readonly config?: Readonly<Record<string, unknown>>;
  readonly numItems?: number;
  readonly seed?: number;
  readonly pipeline?: FeaturePipeline;
  readonly itemFeatures?: TrainedModel['itemFeatures'];
  readonly titles?: Readonly<Record<string, string>>;
  /** Standard deviation of every weight, so that no bias is 0 and no norm's factor 1. */
  readonly spread?: number;
}

export const modelSpecs = models as unknown as Readonly<Record<string, ModelSpec>>;

/** The names of the models with weights. */
export const neuralNames = Object.keys(modelSpecs).filter((name) => modelSpecs[name].kind === 'neural');

/** Options that keep a model small, as far as it has them. */
export function smallConfig(name: string, options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shape = (modelSpecs[name].configSchema as unknown as { shape?: Record<string, unknown> }).shape ?? {};
  return Object.fromEntries(Object.entries(options).filter(([key]) => key in shape));
}

/** Writes a folder of a model whose weights are random numbers; item i has the raw id `i<i>`. */
export async function writeUntrained(folder: string, name: string, options: UntrainedOptions = {}): Promise<void> {
  const { numItems = 20, seed = 1, pipeline, itemFeatures, titles, spread = 0.3 } = options;
  const spec = modelSpecs[name];
  const config = spec.configSchema.parse(options.config ?? {});
  const vocabulary = new ItemVocabulary();
  vocabulary.grow({ itemCodes: Int32Array.from({ length: numItems }, (_, i) => i) });
  const model = spec.create(config, { numRows: vocabulary.size, seed, features: pipeline?.outputs() ?? [] });
  if (model.kind === 'neural') {
    const random = createRandom(seed);
    const values = model.parameters.read();
    for (const array of values.values())
      array.forEach((value, i) => {
        array[i] = value + spread * (2 * random() - 1);
      });
    model.parameters.write(values);
  }
  await writeModelFolder(
    folder,
    {
      label: name,
      seed,
      model,
      objective: objectiveOf(defaultObjective(spec, config)),
      vocabulary,
      ...(pipeline && { pipeline }),
      ...(itemFeatures && { itemFeatures }),
      trainWindows: ['2024-01-01'],
      rawItemId: (code) => `i${code}`,
      async *countedWindows() {},
    },
    { model: { name, config }, ...(titles && { titles }) },
  );
  model.dispose();
}

function objectiveOf(name: string): Objective {
  const spec = (objectives as unknown as Record<string, ObjectiveSpec>)[name];
  return spec.create(spec.configSchema.parse({}));
}
