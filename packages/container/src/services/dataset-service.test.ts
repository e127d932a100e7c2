import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { datasetSchema, sessionsSchema, splitSchema, windowsSchema, writeGeneratedLog } from '@nimue/data';
import { createDatasetService } from './dataset-service.ts';

const SHOP = { days: 2, sessionsPerDay: 20, numItems: 20, numCategories: 2, linesPerCategory: 2 };

describe('the data set service', () => {
  test('a generated log comes with its oracle, the same log as a file without', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nimue-datasets-'));
    try {
      const service = createDatasetService();
      const rest = {
        sessions: sessionsSchema.parse({}),
        windows: windowsSchema.parse({ span: 'day' }),
        split: splitSchema.parse({}),
        directory: join(folder, 'prepared'),
      };
      const generated = await service.prepare({
        ...rest,
        dataset: datasetSchema.parse({ generated: 'shop', ...SHOP }),
      });
      const file = await writeGeneratedLog(SHOP, join(folder, 'shop.parquet'));
      const read = await service.prepare({ ...rest, dataset: file });
      expect(generated.dataset.windows).toEqual(read.dataset.windows);
      expect(read.references).toEqual([]);
      expect(generated.references.map(({ label }) => label)).toEqual(['oracle']);
      const sessions = await generated.dataset.read(1, 'test');
      const ranks = generated.references[0].rankSessions(sessions);
      expect(ranks).toHaveLength(sessions.offsets.length - 1);
      expect(Math.min(...ranks)).toBe(1);
      generated.dataset.close();
      read.dataset.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
