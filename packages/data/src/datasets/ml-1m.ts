import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/**
 * MovieLens 1M as the SASRec and BERT4Rec papers use it: 999,611 ratings of 6,040 users on 3,416 items, one `user item` a
 * line in time order, without times. A user's whole history is one sequence; take `policy: leaveOneOut`.
 */
export const ml1m: DatasetSpec = {
  title: 'MovieLens 1M (ml-1m.txt of SASRec)',
  source: 'https://github.com/kang205/SASRec, data/ml-1m.txt',
  licence: 'MovieLens: research, no redistribution',
  download: {
    url: 'https://raw.githubusercontent.com/kang205/SASRec/master/data/ml-1m.txt',
    checksum: { algorithm: 'sha256', digest: 'b725f3acb3986fe3130bffd1e77a74d182a1f51799567a236dbd60270f95b0a2' },
    file: 'movielens-1m/ml-1m.txt.gz',
  },
  dataset: (folder) => ({
    files: join(folder, 'movielens-1m', 'ml-1m.txt.gz'),
    format: 'csv',
    separator: ' ',
    header: ['user', 'item'],
    columns: { user: 'user', item: 'item' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
