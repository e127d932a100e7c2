import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** MovieLens 1M as GroupLens gives it: 1,000,209 lines `user::movie::rating::seconds`, 6,040 users, 3,706 movies. */
export const movielens1m: DatasetSpec = {
  title: 'MovieLens 1M (ratings.dat)',
  source: 'https://files.grouplens.org/datasets/movielens/ml-1m.zip',
  licence: 'MovieLens: research, no redistribution',
  download: {
    url: 'https://files.grouplens.org/datasets/movielens/ml-1m.zip',
    checksum: { algorithm: 'md5', digest: 'c4d9eecfca2ab87c1945afe126590906' },
    member: 'ml-1m/ratings.dat',
    file: 'movielens-1m/ratings.dat',
  },
  dataset: (folder) => ({
    files: join(folder, 'movielens-1m', 'ratings.dat'),
    format: 'csv',
    separator: '::',
    header: ['user', 'movie', 'rating', 'time'],
    columns: { user: 'user', item: 'movie', timestamp: 'time' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
