import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/**
 * The folders of Transformers4Rec's tutorial: `sessions_by_day/<d>/{train,valid,test}.parquet`, a session a row, its
 * items in the list `item_id-list`, its day in `day_index`. The three files of a day are taken together. Days are
 * numbered, not dated: day 1 is written as 2000-01-02.
 */
export const transformers4rec: DatasetSpec = {
  title: 'Transformers4Rec, sessions by day',
  source: 'https://github.com/NVIDIA-Merlin/Transformers4Rec, examples/getting-started-session-based',
  licence: 'whatever the log behind it has',
  dataset: (folder) => ({
    files: ['train', 'valid', 'test'].map((part) => join(folder, 'sessions_by_day', '*', `${part}.parquet`)),
    derivedTimes: { day: { dayNumber: 'day_index', from: '2000-01-01' } },
    columns: { session: 'session_id', item: 'item_id-list', timestamp: 'day' },
  }),
  sessions: { by: 'session', minLength: 2 },
  windows: { span: 'day' },
};
