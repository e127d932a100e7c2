import { join } from 'node:path';
import type { DatasetSpec } from './dataset-spec.ts';

/**
 * Yoochoose 1/64 as SR-GNN's code divides it: 116,167 train sessions (486,026 clicks on 17,376 items), a session a line, and 55,898
 * lines `item item …<tab>next item`, every beginning of every test session. The files have an order and no times: train sessions
 * are read as the day 2000-01-01, test lines as 2000-01-02, each a millisecond after the one before. Take `policy: frozen`, `validShare: 0` and `positions: last`.
 */
export const yoochoose64: DatasetSpec = {
  title: 'Yoochoose 1/64, train and test of SR-GNN',
  source: 'https://github.com/CRIPAC-DIG/SR-GNN, its preprocessing of yoochoose-clicks.dat, written as lines of text',
  licence: 'CC BY-NC-ND 4.0',
  dataset: (folder) => ({
    files: ['train-sessions.txt.gz', 'test-prefixes.txt.gz'].map((file) => join(folder, 'yoochoose-1-64', file)),
    format: 'sequences',
    header: ['item'],
    derivedTimes: { part: { fileNumber: true, plusMs: 'number', from: '2000-01-01' } },
    columns: { session: 'line', item: 'item', timestamp: 'part' },
  }),
  sessions: { by: 'session', minLength: 2 },
  windows: { span: 'day' },
};
