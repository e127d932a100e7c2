import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/**
 * LastFM, the file of S3-Rec: 52,551 listens of 1,090 users to 3,646 artists, one `user item item …` a line in time order,
 * without times. Take `policy: leaveOneOut`.
 */
export const lastfmArtists: DatasetSpec = {
  title: 'LastFM artists (LastFM.txt of S3-Rec)',
  source: 'https://github.com/RUCAIBox/CIKM2020-S3Rec, data/LastFM.txt',
  licence: 'research',
  download: {
    url: 'https://raw.githubusercontent.com/RUCAIBox/CIKM2020-S3Rec/master/data/LastFM.txt',
    checksum: { algorithm: 'sha256', digest: '9ded486adb5b0fe9dc761950afa0a9a05e93ff018992e0c52bf11afec529f802' },
    file: 'lastfm-artists/LastFM.txt.gz',
  },
  dataset: (folder) => ({
    files: join(folder, 'lastfm-artists', 'LastFM.txt.gz'),
    format: 'sequences',
    columns: { user: 'user', item: 'item' },
  }),
  sessions: { by: 'user', gapMinutes: 'none', minLength: 1 },
  windows: { span: 'all' },
};
