import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/**
 * G1 (Globo.com) news portal: 2,988,181 clicks in 1,048,594 sessions on 46,033 articles, 2017-10-01 to 2017-10-17. A thin
 * tail of clicks reaches into November, so windows are cut on the stated start of the session. One hour has no session.
 */
export const globo: DatasetSpec = {
  title: 'G1 / Globo.com news',
  source:
    'https://www.kaggle.com/datasets/gspmoreira/news-portal-user-interactions-by-globocom, clicks as one Parquet file',
  licence: 'academic, non-commercial',
  dataset: (folder) => ({
    files: join(folder, 'globo', 'clicks.parquet'),
    columns: {
      session: 'session_id',
      user: 'user_id',
      item: 'click_article_id',
      timestamp: 'click_timestamp',
      sessionStart: 'session_start',
    },
  }),
  sessions: { by: 'session', minLength: 2 },
  windows: { span: 'hour' },
};
