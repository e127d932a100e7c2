import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/**
 * last.fm-1K: 19 million listens of 992 users; user, ISO time, artist id, artist, track id, track; tabs, no header, and
 * quotes that are letters of a title. The item is the artist's name: many artists and tracks have no id.
 */
export const lastfm1k: DatasetSpec = {
  title: 'last.fm-1K listens',
  source: 'http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html',
  licence: 'non-commercial, by permission of Last.fm',
  download: {
    url: 'http://mtg.upf.edu/static/datasets/last.fm/lastfm-dataset-1K.tar.gz',
    member: 'lastfm-dataset-1K/userid-timestamp-artid-artname-traid-traname.tsv',
    memberChecksum: { algorithm: 'md5', digest: '64747b21563e3d2aa95751e0ddc46b68' },
    file: 'lastfm-1k/userid-timestamp-artid-artname-traid-traname.tsv',
  },
  dataset: (folder) => ({
    files: join(folder, 'lastfm-1k', 'userid-timestamp-artid-artname-traid-traname.tsv'),
    format: 'tsv',
    quote: 'none',
    header: ['user', 'time', 'artist_id', 'artist', 'track_id', 'track'],
    columns: { user: 'user', item: 'artist', timestamp: 'time' },
  }),
  sessions: { by: 'user', gapMinutes: 30, minLength: 2 },
  windows: { span: 'day' },
};
