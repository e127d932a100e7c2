import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { datasetSchema, openPrepared, prepareWindows, sessionsSchema, windowsSchema } from '@nimue/data';

const T = Date.UTC(2024, 0, 1);
let root = '';
let log = '';

/** 30,000 events of 300 users over five days, in no order, with a price and a kind. */
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nimue-prepare-threads-'));
  log = join(root, 'log.csv');
  const rows = Array.from({ length: 30_000 }, (_, e) => {
    const user = (e * 7919) % 300;
    return `u${user},i${(e * 31) % 977},${T + ((e * 104_729) % 432_000) * 1000},${user % 7 === 0 ? '' : e % 90},k${e % 3}`;
  });
  writeFileSync(log, `user,item,time,price,kind\n${rows.join('\n')}\n`);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function prepare(name: string, helperThread: boolean, change: { sessions?: object; directory?: string } = {}) {
  const dataset = await prepareWindows({
    dataset: datasetSchema.parse({ files: log, columns: { user: 'user', item: 'item', timestamp: 'time' } }),
    sessions: sessionsSchema.parse({ by: 'user', gapMinutes: 120, ...change.sessions }),
    windows: windowsSchema.parse({ span: 'day' }),
    columns: [
      { name: 'price', kind: 'number' },
      { name: 'kind', kind: 'text' },
    ],
    directory: change.directory ?? join(root, name),
    helperThread,
  });
  dataset.close();
  return dataset;
}

describe('with a helper thread', () => {
  test.each([{}, { sample: { numSessions: 50 } }, { by: 'user' as const, gapMinutes: 'none' as const }])(
    'what is prepared is the same, byte for byte: %j',
    async (sessions) => {
      const name = JSON.stringify(sessions).replace(/\W+/g, '-');
      const alone = await prepare(`alone${name}`, false, { sessions });
      const helped = await prepare(`helped${name}`, true, { sessions });
      expect(helped.key).toBe(alone.key);
      expect(helped.counts).toEqual(alone.counts);
      expect(alone.counts.numEvents).toBe(30_000);
      const { files } = JSON.parse(readFileSync(join(alone.directory, 'manifest.json'), 'utf8'));
      expect(Object.keys(files).length).toBeGreaterThan(4);
      for (const file of ['manifest.json', ...Object.keys(files)]) {
        expect(readFileSync(join(helped.directory, file)).equals(readFileSync(join(alone.directory, file)))).toBe(true);
      }
      (await openPrepared(helped.directory)).close();
    },
  );

  test('an error of the main thread ends the helper, and nothing is left behind', async () => {
    await expect(prepare('short', true, { sessions: { minLength: 20_000 } })).rejects.toThrow(
      'every session has fewer than 20000 events',
    );
  });
});
