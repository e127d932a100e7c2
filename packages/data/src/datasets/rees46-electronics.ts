import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';
import { REES46_COLUMNS } from './rees46-multi-category.ts';

/**
 * REES46, the electronics store (Kaggle columns; the user is not needed): views, carts and purchases, in sessions as the
 * shop saw them.
 */
export const rees46Electronics: DatasetSpec = {
  title: 'REES46 electronics store',
  source: 'https://www.kaggle.com/datasets/mkechinov/ecommerce-events-history-in-electronics-store',
  licence: 'free with attribution to REES46',
  dataset: (folder) => ({
    files: join(folder, 'rees46-electronics', 'events.csv.gz'),
    columns: REES46_COLUMNS,
    onMissing: 'drop',
  }),
  sessions: { by: 'session', minLength: 2 },
  windows: { span: 'day' },
};
