import { z } from 'zod';

const item = z.union([z.string().min(1), z.number()], { error: 'expected an item id or a title' });

/** The `report` section of an experiment file: what a run keeps and shows beside its figures. */
export const reportSchema = z.strictObject({
  /** Keeps every model as the last window left it, in `models/`: for `nimue evaluate` and for the recommender. */
  keepModels: z.boolean().default(true),
  /** Sessions of the last evaluated window whose recommendations are shown beside what came next; spread evenly over it. */
  samples: z.int().min(0).max(100).default(3),
  /** Recommended items shown per session. */
  sampleLength: z.int().min(1).max(100).default(10),
  /** Users whose recommendations are shown, for logs with a user column: all that is known of them is visible. */
  users: z.array(z.union([z.string().min(1), z.number()])).default([]),
  /** Made-up sessions, oldest item first, by item id or title. */
  sessions: z.array(z.array(item).min(1)).default([]),
  /** A file that says what people call the items. */
  titles: z
    .strictObject({
      /** CSV, TSV or Parquet, plain or gzip; it may be the log itself. */
      file: z.string().min(1),
      /** Column of item ids. */
      item: z.string().min(1),
      /** Column of titles, or several that are joined. */
      title: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
      /** Between the cells of a text file. Default: guessed. */
      separator: z.string().min(1).max(4).optional(),
      /** Names for the columns of a text file without a header line. */
      header: z.array(z.string().min(1)).min(1).optional(),
    })
    .optional(),
});

export type ReportConfig = z.output<typeof reportSchema>;
