import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** Amazon reviews, one JSON object a line: reviewerID, asin, unixReviewTime (seconds); gzip under a name that ends with .json.gz. */
export const amazonReviews: DatasetSpec = {
  title: 'Amazon reviews (JSON lines)',
  source: 'https://cseweb.ucsd.edu/~jmcauley/datasets/amazon_v2/, 5-core files by category',
  licence: 'research',
  dataset: (folder) => ({
    files: join(folder, 'amazon-reviews', '*.json.gz'),
    format: 'jsonl',
    columns: { user: 'reviewerID', item: 'asin', timestamp: 'unixReviewTime' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
