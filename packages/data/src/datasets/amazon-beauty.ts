import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/**
 * Amazon Beauty, the 5-core file of S3-Rec: 198,502 reviews of 22,363 users on 12,101 items, one `user item item …` a line in
 * time order, without times. Take `policy: leaveOneOut`.
 */
export const amazonBeauty: DatasetSpec = {
  title: 'Amazon Beauty, 5-core',
  source: 'https://github.com/RUCAIBox/CIKM2020-S3Rec, data/Beauty.txt',
  licence: 'Amazon reviews: research',
  download: {
    url: 'https://raw.githubusercontent.com/RUCAIBox/CIKM2020-S3Rec/master/data/Beauty.txt',
    checksum: { algorithm: 'sha256', digest: '226cce9c3105299ca0db9615d7d3fb32b3175e90da43100ae352599f0f0107b8' },
    file: 'amazon-beauty/Beauty.txt.gz',
  },
  dataset: (folder) => ({
    files: join(folder, 'amazon-beauty', 'Beauty.txt.gz'),
    format: 'sequences',
    columns: { user: 'user', item: 'item' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
