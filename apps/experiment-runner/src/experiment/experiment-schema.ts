import { BACKEND_NAMES } from '@nimue/container';
import {
  datasetSchema,
  evaluationPolicySchema,
  featuresSchema,
  type ObjectiveSpec,
  sessionsSchema,
  splitSchema,
  windowsSchema,
} from '@nimue/data';
import type { LossSpec } from '@nimue/losses';
import type { ModelSpec } from '@nimue/models';
import { checkpointsSchema, evaluationSchema, trainingSchema } from '@nimue/trainer';
import { z } from 'zod';
import { reportSchema } from '../report/report-schema.ts';
import { sweepSchema } from '../sweep/sweep-schema.ts';
import { isMapping } from './is-mapping.ts';

/** What an experiment file can name. */
export interface Catalogue {
  readonly models: ReadonlyMap<string, ModelSpec>;
  readonly losses: ReadonlyMap<string, LossSpec>;
  readonly objectives: ReadonlyMap<string, ObjectiveSpec>;
}

/**
 * The schema of an experiment file, put together from the schemas of the packages: a new model, loss or option is
 * known here as soon as its package has it.
 */
export function createExperimentSchema({ models, losses, objectives }: Catalogue) {
  const lossSchema = namedSchema([...losses].map(([name, { configSchema }]) => named(name, configSchema)));
  const objectiveSchema = namedSchema([...objectives].map(([name, { configSchema }]) => named(name, configSchema)));
  const trainingOverride = withoutDefaults(trainingSchema).optional();
  const label = z
    .string()
    .min(1)
    .optional()
    .describe('What the model is called in tables; it tells two of the same name apart.');
  const modelSchema = namedSchema(
    [...models].map(([name, { kind, configSchema }]) =>
      named(
        name,
        configSchema,
        kind === 'neural'
          ? {
              label,
              loss: lossSchema.optional().describe('In place of the `loss` section.'),
              objective: objectiveSchema.optional().describe('In place of the `objective` section.'),
              training: trainingOverride.describe('Over the `training` section.'),
            }
          : { label },
      ),
    ),
  );
  return z.strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, {
        error: 'expected letters, digits, dots, dashes and underscores only: it names the folder of the runs',
      })
      .describe('Names the experiment, and the folder of its runs.'),
    dataset: datasetSchema.describe('The log.'),
    sessions: sessionsSchema.prefault({}).describe('How events become sessions.'),
    windows: windowsSectionSchema.describe('How time is cut, and which windows train before the next is evaluated.'),
    split: splitSchema.prefault({}).describe("How a window's sessions are divided into valid and test."),
    features: featuresSchema.default([]).describe('Columns made of the events, fitted on train windows only.'),
    models: z
      .array(modelSchema)
      .min(1)
      .describe(
        'Models that are compared, each with its own options; a neural one may have its own `loss`, `objective` and `training`.',
      ),
    loss: lossSchema.optional().describe('Without it every model has its own: crossEntropy, but for gsasrec.'),
    objective: objectiveSchema
      .optional()
      .describe('Without it every model has the objective that fits what it lets a position see.'),
    training: trainingSchema.prefault({}).describe('How one window is learned.'),
    evaluation: evaluationSchema.prefault({}).describe('What is asked and how answers are ranked and counted.'),
    checkpoints: checkpointsSchema
      .prefault({})
      .describe('What is kept as a run goes, to go on after a stop and to look at later.'),
    seeds: z.array(z.int().min(0)).min(1).default([1]).describe('Every model runs once with each.'),
    sweep: sweepSchema.optional().describe('Variations of the experiment, for `nimue sweep`.'),
    report: reportSchema.prefault({}).describe('What a run keeps and shows beside its figures.'),
    backend: z
      .enum(['auto', ...BACKEND_NAMES])
      .default('auto')
      .describe('What computes; `auto` takes the fastest that loads.'),
  });
}

const [firstPolicy, ...otherPolicies] = evaluationPolicySchema.options.map((option) =>
  z.strictObject({ ...windowsSchema.shape, ...option.shape }),
);

/** The `windows` section: how time is cut, and which windows train before the next is evaluated. */
const windowsSectionSchema = z.preprocess(
  (value) => (isMapping(value) && !('policy' in value) ? { policy: 'incremental', ...value } : value),
  z.discriminatedUnion('policy', [firstPolicy, ...otherPolicies]),
);

/** An entry that its `name` tells apart: the spec's own options beside it. */
export type NamedEntry = { readonly name: string } & Readonly<Record<string, unknown>>;

function namedSchema(entries: readonly z.ZodObject[]): z.ZodType<NamedEntry> {
  return z.discriminatedUnion(
    'name',
    entries as [z.ZodObject<{ name: z.ZodLiteral<string> }>],
  ) as z.ZodType<NamedEntry>;
}

function named(name: string, configSchema: z.ZodType, extra: z.ZodRawShape = {}): z.ZodObject {
  if (!(configSchema instanceof z.ZodObject)) {
    throw new Error(`experiment schema: '${name}' has a configSchema that is no object schema`);
  }
  const clash = ['name', ...Object.keys(extra)].find((key) => key in configSchema.shape);
  if (clash)
    throw new Error(`experiment schema: '${name}' has an option '${clash}', a word that the runner uses itself`);
  const entry = z.strictObject({ name: z.literal(name), ...extra, ...configSchema.shape });
  const options = z.strictObject(configSchema.shape);
  // The shape alone does not carry the checks between options, such as hiddenSize being a multiple of numHeads.
  return entry.superRefine((value, context) => {
    const config = Object.fromEntries(Object.entries(value).filter(([key]) => key in configSchema.shape));
    const { error } = configSchema.safeParse(config);
    // Checks within an option, such as those of inputs, come with its own schema.
    const reported = options.safeParse(config).error?.issues.map(placeAndMessage) ?? [];
    for (const issue of error?.issues ?? []) {
      if (!reported.includes(placeAndMessage(issue))) context.addIssue({ ...issue, code: 'custom' });
    }
  });
}

function placeAndMessage({ path, message }: z.core.$ZodIssue): string {
  return `${path.join('.')}: ${message}`;
}

/** The same options, all of them optional and none filled in. */
function withoutDefaults(schema: z.ZodObject): z.ZodObject {
  const bare = Object.entries(schema.shape).map(([key, part]) => {
    const inner = part instanceof z.ZodDefault ? (part.unwrap() as z.ZodType) : (part as z.ZodType);
    return [key, inner.optional()];
  });
  return z.strictObject(Object.fromEntries(bare));
}
