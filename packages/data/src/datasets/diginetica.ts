import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/**
 * Diginetica (CIKM Cup 2016), item views: sessionId;userId;itemId;timeframe;eventdate. The time of a view is its date and
 * the milliseconds since the first query of its session.
 */
export const diginetica: DatasetSpec = {
  title: 'Diginetica item views (CIKM Cup 2016)',
  source: 'https://competitions.codalab.org/competitions/11161, train-item-views.csv',
  licence: 'research',
  dataset: (folder) => ({
    files: join(folder, 'diginetica', 'train-item-views.csv'),
    separator: ';',
    derivedTimes: { time: { date: 'eventdate', plus: 'timeframe', unit: 'ms' } },
    columns: { session: 'sessionId', item: 'itemId', timestamp: 'time' },
  }),
  sessions: { by: 'session', minLength: 2 },
  windows: { span: 'day' },
};
