import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/** E-shop clothing 2008: 165,474 clicks of 24,026 sessions on 217 models; days in three columns, clicks ordered within the session. */
export const eshop2008: DatasetSpec = {
  title: 'E-shop clothing 2008',
  source: 'https://archive.ics.uci.edu/dataset/553/clickstream+data+for+online+shopping',
  licence: 'CC BY 4.0',
  download: {
    url: 'https://archive.ics.uci.edu/static/public/553/clickstream+data+for+online+shopping.zip',
    member: 'e-shop clothing 2008.csv',
    file: 'eshop-2008/clicks.csv.gz',
  },
  dataset: (folder) => ({
    files: join(folder, 'eshop-2008', 'clicks.csv.gz'),
    separator: ';',
    derivedTimes: { date: { year: 'year', month: 'month', day: 'day' } },
    columns: { session: 'session ID', item: 'page 2 (clothing model)', timestamp: 'date', order: 'order(sells)' },
  }),
  sessions: { by: 'session', minLength: 2 },
  windows: { span: 'day' },
};
