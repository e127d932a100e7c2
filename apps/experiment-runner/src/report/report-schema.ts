import { z } from 'zod';

const item = z.union([z.string().min(1), z.number()], { error: 'expected an item id or a title' });

/** The `report` section of an experiment file: what a run keeps and shows beside its figures. */
export const reportSchema = z.strictObject({
  keepModels: z
    .boolean()
    .default(true)
    .describe(
      'Keeps every model as the last window left it, in `models/`: for `nimue evaluate` and for the recommender.',
    ),
  samples: z
    .int()
    .min(0)
    .max(100)
    .default(3)
    .describe(
      'Sessions of the last evaluated window whose recommendations are shown beside what came next; spread evenly over it.',
    ),
  sampleLength: z.int().min(1).max(100).default(10).describe('Recommended items shown per session.'),
  users: z
    .array(z.union([z.string().min(1), z.number()]))
    .default([])
    .describe(
      'Users whose recommendations are shown, for logs with a user column: all that is known of them is visible.',
    ),
  sessions: z
    .array(z.array(item).min(1))
    .default([])
    .describe('Made-up sessions, oldest item first, by item id or title.'),
  titles: z
    .strictObject({
      file: z.string().min(1).describe('CSV, TSV or Parquet, plain or gzip; it may be the log itself.'),
      item: z.string().min(1).describe('Column of item ids.'),
      title: z
        .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
        .describe('Column of titles, or several that are joined.'),
      separator: z.string().min(1).max(4).optional().describe('Between the cells of a text file. Default: guessed.'),
      header: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('Names for the columns of a text file without a header line.'),
    })
    .optional()
    .describe('A file that says what people call the items.'),
});

export type ReportConfig = z.output<typeof reportSchema>;
