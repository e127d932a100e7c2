import {
  evaluationPolicySchema,
  features,
  filesDatasetSchema,
  generatedDatasetSchema,
  sessionsSchema,
  specDatasetSchema,
  splitSchema,
  windowsSchema,
} from '@nimue/data';
import { negativeSamplers } from '@nimue/losses';
import { evaluationSchema, trainingSchema } from '@nimue/trainer';
import type { z } from 'zod';
import type { Catalogue } from '../experiment/experiment-schema.ts';
import { createExperimentSchema } from '../experiment/experiment-schema.ts';
import { reportSchema } from '../report/report-schema.ts';
import { sweepSchema } from '../sweep/sweep-schema.ts';
import { type OptionRow, optionRows } from './option-rows.ts';

/** Options that at least so many models have alike stand in one table. */
const MIN_SHARED = 5;

/** The reference page of experiment files, made from the schemas that check them. */
export function referencePage(catalogue: Catalogue): string {
  const sections = optionRows(createExperimentSchema(catalogue)).filter(({ path }) => !path.includes('.'));
  const policies = evaluationPolicySchema.options.map((option) => {
    const [policy] = option.shape.policy.values;
    return [`policy: ${policy}`, optionRows(option, ['policy'])] as const;
  });
  return [
    '# Experiment files: every option',
    '<!-- Made by `npm run reference` from the schemas that check experiment files; a test holds it to them. -->',
    'An option without a default may be left out unless it is required. `nimue schema` gives the same to an editor, ' +
      '`nimue explain <file>` says which values an experiment has and where each comes from.',
    '## Sections',
    table(
      sections.map(({ path, description }) => [
        ['name', 'seeds', 'backend'].includes(path) ? `\`${path}\`` : `[\`${path}\`](#${path})`,
        description,
      ]),
      ['section', 'what it says'],
    ),
    '## dataset',
    '### A log in files',
    optionTable(optionRows(filesDatasetSchema)),
    '### A ready-made data set',
    optionTable(optionRows(specDatasetSchema)),
    '### A generated log',
    optionTable(optionRows(generatedDatasetSchema)),
    '## sessions',
    optionTable(optionRows(sessionsSchema)),
    '## windows',
    optionTable(optionRows(windowsSchema)),
    ...policies.flatMap(([title, rows]) => [
      `### ${title}`,
      rows.length > 0 ? optionTable(rows) : 'No options of its own.',
    ]),
    '## split',
    optionTable(optionRows(splitSchema)),
    '## features',
    'A list; `name` says which.',
    ...named(features as unknown as Record<string, { configSchema: z.ZodType }>),
    '## models',
    'A list; `name` says which. A neural model may have a `loss`, an `objective` and `training` options of its own.',
    ...modelSections(catalogue),
    '## loss',
    '`name` says which.',
    ...named(Object.fromEntries(catalogue.losses)),
    '### Negatives',
    'The `negatives` of a loss; `name` says which.',
    ...named(negativeSamplers as unknown as Record<string, { configSchema: z.ZodType }>, '####'),
    '## objective',
    '`name` says which.',
    ...named(Object.fromEntries(catalogue.objectives)),
    '## training',
    optionTable(optionRows(trainingSchema)),
    '## evaluation',
    optionTable(optionRows(evaluationSchema)),
    '## sweep',
    ...sweepSchema.options.flatMap((option) => {
      const [strategy] = option.shape.strategy.values;
      return [`### strategy: ${strategy}`, optionTable(optionRows(option, ['strategy']))];
    }),
    '## report',
    optionTable(optionRows(reportSchema)),
  ]
    .join('\n\n')
    .concat('\n');
}

/** A table per entry of a list. */
function named(entries: Readonly<Record<string, { readonly configSchema: z.ZodType }>>, level = '###'): string[] {
  return Object.entries(entries).flatMap(([name, { configSchema }]) => {
    const rows = optionRows(configSchema, ['name']);
    return [`${level} ${name}`, rows.length > 0 ? optionTable(rows) : 'No options.'];
  });
}

function modelSections({ models }: Catalogue): string[] {
  const rowsOf = new Map([...models].map(([name, { configSchema }]) => [name, optionRows(configSchema)]));
  const users = new Map<string, string[]>();
  for (const [name, rows] of rowsOf) {
    for (const row of rows) users.set(keyOf(row), [...(users.get(keyOf(row)) ?? []), name]);
  }
  const isShared = (row: OptionRow) => (users.get(keyOf(row)) ?? []).length >= MIN_SHARED;
  const all = [...rowsOf.values()].flat();
  const shared = [...new Map(all.filter(isShared).map((row) => [keyOf(row), row])).values()];
  return [
    '### Options that several models share',
    optionTable(shared),
    ...[...rowsOf].flatMap(([name, rows]) => {
      const own = rows.filter((row) => !isShared(row));
      const others = rows.filter((row) => isShared(row) && !row.path.includes('.')).map(({ path }) => `\`${path}\``);
      return [
        `### ${name}`,
        ...(own.length > 0 ? [optionTable(own)] : []),
        ...(others.length > 0
          ? [`${own.length > 0 ? 'And from' : 'From'} the table above: ${others.join(', ')}.`]
          : []),
        ...(rows.length === 0 ? ['No options.'] : []),
      ];
    }),
  ];
}

function keyOf({ path, type, preset, description }: OptionRow): string {
  return JSON.stringify([path, type, preset, description]);
}

function optionTable(rows: readonly OptionRow[]): string {
  return table(
    rows.map(({ path, type, preset, description }) => [`\`${path}\``, type, preset, description]),
    ['option', 'value', 'default', 'what it does'],
  );
}

function table(rows: readonly (readonly string[])[], head: readonly string[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/\s+/g, ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
