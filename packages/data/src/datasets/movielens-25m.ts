import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** MovieLens 25M: 25,000,095 ratings of 162,541 users on 59,047 movies; userId, movieId, rating, seconds. */
export const movielens25m: DatasetSpec = {
  title: 'MovieLens 25M',
  source: 'https://files.grouplens.org/datasets/movielens/ml-25m.zip, ratings.csv',
  licence: 'MovieLens: research, its own terms',
  download: {
    url: 'https://files.grouplens.org/datasets/movielens/ml-25m.zip',
    checksum: { algorithm: 'md5', digest: '6b51fb2759a8657d3bfcbfc42b592ada' },
    member: 'ml-25m/ratings.csv',
    file: 'movielens-25m/ratings.csv',
  },
  dataset: (folder) => ({
    files: join(folder, 'movielens-25m', 'ratings.csv'),
    columns: { user: 'userId', item: 'movieId', timestamp: 'timestamp' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
