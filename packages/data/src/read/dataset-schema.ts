import { z } from 'zod';
import * as specs from '../datasets.ts';
import { shopSchema } from '../generated/shop-schema.ts';
import { derivedTimeSchema } from './derived-times.ts';

/** What numbers in the time column count since 1970, or `iso` for written dates. */
export const timeUnitSchema = z.enum(['s', 'ms', 'us', 'ns', 'iso']);
export type TimeUnit = z.output<typeof timeUnitSchema>;

/** What the cells of a column are. */
export const columnTypeSchema = z.enum(['string', 'integer', 'number']);
export type ColumnType = z.output<typeof columnTypeSchema>;

/** Which column of the log is what. */
export const columnsSchema = z.strictObject({
  session: z.string().min(1).optional().describe('Column of session ids.'),
  user: z.string().min(1).optional().describe('Column of users.'),
  item: z.string().min(1).describe('Column of what was clicked: the item ids.'),
  timestamp: z
    .string()
    .min(1)
    .optional()
    .describe('Without it the log has an order but no times: its rows, or `order`, say what came first.'),
  order: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A number that orders events of the same time (a click's place in its session), or all events where there are no times.",
    ),
  event: z
    .string()
    .min(1)
    .optional()
    .describe(
      'What kind of event it is (view, cart, purchase …), for `sessions.eventTypes` and `sessions.eventWeights`.',
    ),
  sessionStart: z
    .string()
    .min(1)
    .optional()
    .describe('Start of the session, where the log has it: it decides the window. Otherwise the first event does.'),
});

/** A log in files. */
export const filesDatasetSchema = z.strictObject({
  files: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .describe('A file, a folder, a glob, or a list of them. Relative to the working directory.'),
  format: z
    .enum(['csv', 'tsv', 'parquet', 'arrow', 'jsonl', 'sequences'])
    .optional()
    .describe(
      'Default: by the file name. `sequences`: text lines `user item item …`, as columns user and item; with `header: [item]` lines `item item …`, as columns line, number (of the line in its file) and item.',
    ),
  separator: z
    .string()
    .min(1)
    .max(4)
    .optional()
    .describe(
      'Between the cells of a text file. Default: tab for TSV, a space or tab for sequences, otherwise the most frequent of , ; tab | in the first line.',
    ),
  quote: z
    .union([z.literal('none'), z.string().length(1)])
    .optional()
    .describe(
      'Around cells that hold separators or ends of lines; `none` where a quote is a letter like any other. Default `"`.',
    ),
  header: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Names for the columns of a text file without a header line.'),
  columns: columnsSchema.describe('Which column of the log is what.'),
  columnTypes: z
    .record(z.string().min(1), columnTypeSchema)
    .optional()
    .describe(
      'What the cells of a column are, by its name: `string` (as they are written: 007 is not 7), `integer` (whole numbers of any length: 007 is 7) or `number`; a cell of another kind is refused. Default: the type in the file; of a text file `string`, and where a feature asks for numbers, `number`.',
    ),
  derivedTimes: z
    .record(z.string().min(1), derivedTimeSchema)
    .optional()
    .describe('Times that several columns say together, by the name under which `columns` can map them.'),
  timeUnit: timeUnitSchema.optional().describe('Default: the only unit that puts the times between 1990 and 2100.'),
  timeZone: z
    .string()
    .refine(isTimeZone, { error: "expected an IANA name such as 'UTC' or 'Asia/Tokyo'" })
    .optional()
    .describe('IANA zone of written dates that name none, such as `America/Sao_Paulo`. Default UTC.'),
  onMissing: z
    .enum(['error', 'drop'])
    .default('error')
    .describe('Events without item, time, or session/user: refuse the log, or drop and count them.'),
  futureTimes: z
    .enum(['error', 'allow'])
    .optional()
    .describe(
      'Times later than tomorrow: refuse the log (default), or allow them up to 2100, for logs that are made up.',
    ),
});
export type FilesDataset = z.output<typeof filesDatasetSchema>;

/** A log that is generated: `generated: shop` and the shop's options beside it. */
export const generatedDatasetSchema = z.strictObject({
  generated: z.literal('shop').describe('A generated log: `shop`.'),
  ...shopSchema.shape,
});
export type GeneratedDataset = z.output<typeof generatedDatasetSchema>;

const SPEC_NAMES = Object.keys(specs).filter((name) => name !== 'generatedShop') as SpecName[];
type SpecName = Exclude<keyof typeof specs, 'generatedShop'>;

/** A ready-made data set: `spec: globo` and the folder in which the data sets lie. */
export const specDatasetSchema = z.strictObject({
  spec: z.enum(SPEC_NAMES).describe('Name of the ready-made data set.'),
  path: z.string().min(1).describe('Folder in which the data sets lie.'),
  files: filesDatasetSchema.shape.files.optional().describe("In place of the spec's own."),
  onMissing: z.enum(['error', 'drop']).optional().describe("In place of the spec's own."),
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export type DatasetConfig = FilesDataset | GeneratedDataset;
/** A log as it is described in full. */
export type LogInput = z.input<typeof filesDatasetSchema> | z.input<typeof generatedDatasetSchema>;
export type DatasetInput = LogInput | z.input<typeof specDatasetSchema>;

/**
 * The `dataset` section of an experiment file: files, or a generated log. Issues carry the path within the section and
 * speak about the one that was meant, not about both.
 */
export const datasetSchema: z.ZodType<DatasetConfig, DatasetInput> = z
  .custom<DatasetInput>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: "expected a mapping with 'files' and 'columns', with 'spec' and 'path', or with 'generated'",
  })
  .transform((value, context) => {
    const schema =
      'generated' in value ? generatedDatasetSchema : 'spec' in value ? specDatasetSchema : filesDatasetSchema;
    const result = schema.safeParse(value);
    if (result.success) return 'spec' in result.data ? filesOfSpec(result.data) : result.data;
    for (const issue of result.error.issues) context.issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
    return z.NEVER;
  });

/** The `dataset` section that a ready-made spec stands for. */
function filesOfSpec({ spec, path, ...own }: z.output<typeof specDatasetSchema>): FilesDataset {
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  return filesDatasetSchema.parse({ ...specs[spec].dataset(path), ...given });
}
