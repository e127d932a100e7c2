import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** Amazon ratings only, CSV without a header line: user, item, rating, seconds. */
export const amazonRatings: DatasetSpec = {
  title: 'Amazon ratings (CSV)',
  source: 'https://cseweb.ucsd.edu/~jmcauley/datasets/amazon/links.html, ratings only',
  licence: 'research',
  dataset: (folder) => ({
    files: join(folder, 'amazon-ratings', '*.csv'),
    format: 'csv',
    separator: ',',
    header: ['user', 'item', 'rating', 'time'],
    columns: { user: 'user', item: 'item', timestamp: 'time' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
