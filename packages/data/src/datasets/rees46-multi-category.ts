import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** The columns of REES46's public event files on Kaggle. */
export const REES46_COLUMNS = {
  session: 'user_session',
  item: 'product_id',
  timestamp: 'event_time',
  event: 'event_type',
} as const;

/**
 * REES46, the multi-category store: monthly files (2019-Oct.csv …) of event_time, event_type, product_id, category_id,
 * category_code, brand, price, user_id, user_session. A few events have no session: they are left out, and counted.
 */
export const rees46MultiCategory: DatasetSpec = {
  title: 'REES46 multi-category store',
  source: 'https://www.kaggle.com/datasets/mkechinov/ecommerce-behavior-data-from-multi-category-store',
  licence: 'free with attribution to REES46',
  dataset: (folder) => ({
    files: join(folder, 'rees46-multi-category'),
    format: 'csv',
    columns: { ...REES46_COLUMNS, user: 'user_id' },
    onMissing: 'drop',
  }),
  sessions: { by: 'session', eventTypes: ['view'], minLength: 2 },
  windows: { span: 'day' },
};
