import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeLog } from './describe-log.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-describe-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function describeText(text: string) {
  const file = join(folder, 'log.csv');
  await writeFile(file, text);
  return describeLog(file);
}

test('columns with examples, missing cells and the span of their times', async () => {
  const text =
    'visit,sku,when,at,price\na,s1,1506826800,2017-10-01 03:00:00,1.5\na,s2,1506826860,2017-10-02 03:00:00,\n';
  expect(await describeText(text)).toEqual({
    numRows: 2,
    columns: [
      { name: 'visit', examples: ['a', 'a'], numValues: 1, numMissing: 0 },
      { name: 'sku', examples: ['s1', 's2'], numValues: 2, numMissing: 0 },
      {
        name: 'when',
        examples: ['1506826800', '1506826860'],
        numValues: 2,
        numMissing: 0,
        times: { fromMs: 1506826800000, toMs: 1506826860000, unit: 's' },
      },
      {
        name: 'at',
        examples: ['2017-10-01 03:00:00', '2017-10-02 03:00:00'],
        numValues: 2,
        numMissing: 0,
        times: { fromMs: Date.UTC(2017, 9, 1, 3), toMs: Date.UTC(2017, 9, 2, 3), unit: 'iso' },
      },
      { name: 'price', examples: ['1.5', ''], numValues: 1, numMissing: 1 },
    ],
  });
});

test('a file that is not there is named', async () => {
  await expect(describeLog(join(folder, 'none.csv'))).rejects.toThrow('none.csv');
});
