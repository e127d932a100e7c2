import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** MovieLens 25M: 25,000,095 ratings of 162,541 users on 59,047 movies; userId, movieId, rating, seconds. */
export const movielens25m: DatasetSpec = {
  title: 'MovieLens 25M',
  source: 'https://files.grouplens.org/datasets/movielens/ml-25m.zip, ratings.csv',
  licence: 'MovieLens: research, its own terms',
  dataset: (folder) => ({
    files: join(folder, 'movielens-25m', 'ratings.csv'),
    columns: { user: 'userId', item: 'movieId', timestamp: 'timestamp' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
