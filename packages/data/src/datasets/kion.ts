import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/**
 * KION (MTS), films and series watched: user_id, item_id, last_watch_dt (a date), total_dur, watched_pct. Watches of one
 * day are ordered as in the file.
 */
export const kion: DatasetSpec = {
  title: 'KION',
  source: 'https://github.com/irsafilo/KION_DATASET, interactions.csv',
  licence: 'CC BY 4.0',
  download: {
    url: 'https://github.com/irsafilo/KION_DATASET/raw/f69775be31fa5779907cf0a92ddedb70037fb5ae/data_original.zip',
    member: 'data_original/interactions.csv',
    file: 'kion/interactions.csv',
  },
  dataset: (folder) => ({
    files: join(folder, 'kion', 'interactions.csv'),
    columns: { user: 'user_id', item: 'item_id', timestamp: 'last_watch_dt' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 2 },
  windows: { span: 'all' },
};
