import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** RetailRocket: timestamp (ms), visitorid, event (view, addtocart, transaction), itemid, transactionid; no sessions. */
export const retailrocket: DatasetSpec = {
  title: 'RetailRocket',
  source: 'https://www.kaggle.com/datasets/retailrocket/ecommerce-dataset, events.csv',
  licence: 'CC BY-NC-SA 4.0',
  dataset: (folder) => ({
    files: join(folder, 'retailrocket', 'events.csv'),
    timeUnit: 'ms',
    columns: { user: 'visitorid', item: 'itemid', timestamp: 'timestamp', event: 'event' },
  }),
  sessions: { by: 'user', gapMinutes: 30, eventTypes: ['view'], minLength: 2 },
  windows: { span: 'day' },
};
