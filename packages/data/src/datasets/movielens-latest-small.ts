import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** MovieLens latest, small: 100,836 ratings of 610 users on 9,724 movies; userId, movieId, rating, seconds. */
export const movielensLatestSmall: DatasetSpec = {
  title: 'MovieLens latest small',
  source: 'https://files.grouplens.org/datasets/movielens/ml-latest-small.zip, ratings.csv',
  licence: 'MovieLens: research, its own terms',
  download: {
    url: 'https://files.grouplens.org/datasets/movielens/ml-latest-small.zip',
    member: 'ml-latest-small/ratings.csv',
    file: 'movielens-latest-small/ratings.csv.gz',
  },
  dataset: (folder) => ({
    files: join(folder, 'movielens-latest-small', 'ratings.csv.gz'),
    columns: { user: 'userId', item: 'movieId', timestamp: 'timestamp' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
