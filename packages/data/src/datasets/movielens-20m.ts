import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** MovieLens 20M: 20,000,263 ratings of 138,493 users on 26,744 movies; userId, movieId, rating, seconds. */
export const movielens20m: DatasetSpec = {
  title: 'MovieLens 20M',
  source: 'https://files.grouplens.org/datasets/movielens/ml-20m.zip, ratings.csv',
  licence: 'MovieLens: research, its own terms',
  download: {
    url: 'https://files.grouplens.org/datasets/movielens/ml-20m.zip',
    checksum: { algorithm: 'md5', digest: 'cd245b17a1ae2cc31bb14903e1204af3' },
    member: 'ml-20m/ratings.csv',
    file: 'movielens-20m/ratings.csv',
  },
  dataset: (folder) => ({
    files: join(folder, 'movielens-20m', 'ratings.csv'),
    columns: { user: 'userId', item: 'movieId', timestamp: 'timestamp' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
