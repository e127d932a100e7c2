import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** MovieLens latest, whole: it grows with every release; userId, movieId, rating, seconds. */
export const movielensLatest: DatasetSpec = {
  title: 'MovieLens latest',
  source: 'https://files.grouplens.org/datasets/movielens/ml-latest.zip, ratings.csv',
  licence: 'MovieLens: research, its own terms',
  download: {
    url: 'https://files.grouplens.org/datasets/movielens/ml-latest.zip',
    member: 'ml-latest/ratings.csv',
    file: 'movielens-latest/ratings.csv',
  },
  dataset: (folder) => ({
    files: join(folder, 'movielens-latest', 'ratings.csv'),
    columns: { user: 'userId', item: 'movieId', timestamp: 'timestamp' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
