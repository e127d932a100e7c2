import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** Yoochoose, the clicks of the RecSys Challenge 2015: session, time, item, category, without a header line. */
export const yoochoose: DatasetSpec = {
  title: 'Yoochoose clicks (RSC15)',
  source: 'https://www.kaggle.com/datasets/chadgostopp/recsys-challenge-2015, yoochoose-clicks.dat',
  licence: 'CC BY-NC-ND 4.0',
  dataset: (folder) => ({
    files: join(folder, 'yoochoose', 'yoochoose-clicks.dat'),
    format: 'csv',
    separator: ',',
    header: ['session', 'time', 'item', 'category'],
    columns: { session: 'session', item: 'item', timestamp: 'time' },
  }),
  sessions: { by: 'session', minLength: 2 },
  windows: { span: 'day' },
};
