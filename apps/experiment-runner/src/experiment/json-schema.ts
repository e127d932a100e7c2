import { filesDatasetSchema, generatedDatasetSchema, specDatasetSchema } from '@nimue/data';
import { z } from 'zod';
import { type Catalogue, createExperimentSchema } from './experiment-schema.ts';

/**
 * The experiment file as JSON Schema (2020-12), for editors that complete and check YAML: put
 * `# yaml-language-server: $schema=<file>` on the first line of an experiment.
 */
export function createJsonSchema(catalogue: Catalogue): Record<string, unknown> {
  const {
    required = [],
    properties,
    ...schema
  } = z.toJSONSchema(createExperimentSchema(catalogue), {
    io: 'input',
    unrepresentable: 'any',
    // Every model may have a loss and an objective of its own: written out each time they would make megabytes.
    reused: 'ref',
    override: ({ zodSchema, jsonSchema }) => {
      // A preprocessing step accepts anything; what it hands on is what an editor should ask for.
      const { in: input, out } = zodSchema._zod.def as { in?: z.ZodType; out?: z.ZodType };
      if (!(input instanceof z.ZodTransform) || !out) return;
      Object.assign(jsonSchema, schemaOf(out));
    },
  });
  const paths = { type: 'string', minLength: 1 };
  return {
    title: 'Nimue experiment',
    ...schema,
    properties: {
      extends: {
        description: 'Experiment files that this one lies over; paths start at the folder of this file.',
        anyOf: [paths, { type: 'array', items: paths }],
      },
      ...properties,
      dataset: { anyOf: [filesDatasetSchema, specDatasetSchema, generatedDatasetSchema].map(schemaOf) },
    },
    // A file that extends another leaves out what the other says.
    anyOf: [{ required: ['extends'] }, { required }],
  };
}

function schemaOf(part: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(part, { io: 'input', unrepresentable: 'any' });
  return schema;
}
