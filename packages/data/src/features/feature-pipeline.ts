import { z } from 'zod';
import { keyOfColumn, type RawColumn } from '../dataset/raw-columns.ts';
import type { Sessions } from '../dataset/sessions.ts';
import * as features from '../features.ts';
import type { Feature, FeatureColumn, FeatureOutput, FeatureSource, FeatureSpec } from './feature.ts';

const specs = new Map(Object.entries(features) as [string, FeatureSpec][]);
const [first, ...others] = [...specs.values()].map(({ configSchema }) => configSchema);

/** The `features` section of an experiment file: a list of features, each by its name with its options beside it. */
export const featuresSchema = z.array(
  z.discriminatedUnion('name', [first, ...others] as [z.ZodObject<{ name: z.ZodLiteral<string> }>]),
) as z.ZodType<FeatureConfig[]>;

/** One entry of the `features` section, checked. */
export type FeatureConfig = { readonly name: string } & Readonly<Record<string, unknown>>;

/** What a pipeline saves. */
const savedSchema = z.object({
  version: z.literal(1),
  features: z.array(z.object({ config: z.record(z.string(), z.unknown()), state: z.unknown() })),
});
export type SavedFeaturePipeline = z.input<typeof savedSchema>;

/** The columns of the log that features read: what has to be carried along when it is prepared. */
export function columnsOfFeatures(configs: readonly FeatureConfig[]): RawColumn[] {
  const columns = configs.flatMap((config) => specOf(config.name).columns(config));
  return [...new Map(columns.map((column) => [keyOfColumn(column), column])).values()];
}

/** The columns that features will make, before they have read or learned anything: categories have no values yet. */
export function outputsOfFeatures(configs: readonly FeatureConfig[]): FeatureOutput[] {
  return configs.flatMap((config) => {
    const spec = specOf(config.name);
    return spec.outputsBefore?.(config) ?? spec.create(config).outputs();
  });
}

/**
 * Makes the features of an experiment, not fitted yet; files of pretrained vectors are read.
 *
 * @throws when two features make a column of the same name, or a file cannot be read
 *
 * @example
 * const pipeline = await createFeaturePipeline(featuresSchema.parse([{ name: 'log', column: 'price' }]));
 * pipeline.fit([sessions], dataset);
 * encodeSessions(sessions, vocabulary, { unknown: 'skip', features: pipeline.transform(sessions, dataset) });
 */
export async function createFeaturePipeline(configs: readonly FeatureConfig[]): Promise<FeaturePipeline> {
  const made = configs.map((config) => specOf(config.name).create(config));
  for (const feature of made) await feature.load?.();
  return new FeaturePipeline(configs, made);
}

/**
 * A saved pipeline, ready to transform: it gives exactly the values that it gave before it was saved.
 *
 * @throws when what was saved is damaged or of another version
 */
export function restoreFeaturePipeline(saved: unknown): FeaturePipeline {
  const result = savedSchema.safeParse(saved);
  if (!result.success) {
    throw new Error(`restoreFeaturePipeline: damaged or of another version: ${result.error.issues[0].message}`);
  }
  const configs = featuresSchema.parse(result.data.features.map(({ config }) => config));
  const made = configs.map((config) => specOf(config.name).create(config));
  for (const [f, feature] of made.entries()) feature.restore(result.data.features[f].state);
  return new FeaturePipeline(configs, made);
}

/** The features of an experiment in one: fitted on train windows, applied to any sessions. */
export class FeaturePipeline {
  readonly #configs: readonly FeatureConfig[];
  readonly #features: readonly Feature[];

  /** @throws when two features make a column of the same name */
  constructor(configs: readonly FeatureConfig[], features: readonly Feature[]) {
    this.#configs = configs;
    this.#features = features;
    const names = new Map<string, string>();
    for (const [f, feature] of features.entries()) {
      for (const { name } of feature.outputs()) {
        const other = names.get(name);
        if (other)
          throw new Error(`features: ${other} and ${configs[f].name} both make '${name}'; name one of them with 'as'`);
        names.set(name, configs[f].name);
      }
    }
  }

  /** The columns that it makes, as they are now: categories grow with every fit. */
  outputs(): FeatureOutput[] {
    return this.#features.flatMap((feature) => feature.outputs());
  }

  /** Learns from the train windows of a step, after those of the steps before; never from what is evaluated. */
  fit(windows: Iterable<Sessions>, source: FeatureSource): void {
    for (const window of windows) this.addWindow(window, source);
    this.finishStep();
  }

  /** `fit` window by window, when they are not to be in memory together; `finishStep` ends it. */
  addWindow(window: Sessions, source: FeatureSource): void {
    for (const feature of this.#features) feature.fit?.(window, source);
  }

  finishStep(): void {
    for (const feature of this.#features) feature.finishFit?.();
  }

  /** The columns of the sessions' events [T], for `encodeSessions`. */
  transform(sessions: Sessions, source: FeatureSource): Record<string, FeatureColumn> {
    return Object.assign({}, ...this.#features.map((feature) => feature.transform(sessions, source)));
  }

  toJSON(): SavedFeaturePipeline {
    return {
      version: 1,
      features: this.#features.map((feature, f) => ({ config: this.#configs[f], state: feature.toJSON() })),
    };
  }
}

function specOf(name: string): FeatureSpec {
  const spec = specs.get(name);
  if (spec) return spec;
  throw new Error(`feature '${name}' does not exist; expected one of ${[...specs.keys()].join(', ')}`);
}
