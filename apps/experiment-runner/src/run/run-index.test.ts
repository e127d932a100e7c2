import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { summarizeResults, type WindowResult } from '@nimue/trainer';
import type { RunReport } from '../report/run-report.ts';
import { addToIndex, readIndex } from './run-index.ts';

const folder = mkdtempSync(join(tmpdir(), 'run-index-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Figures of one model by window, then by seed. */
function reportOf(values: readonly (readonly number[])[]): RunReport {
  const results = values.flatMap((seeds, window) =>
    seeds.map((value, seed) => ({
      model: 'sasrec',
      seed,
      evaluateWindow: `w${window}`,
      metrics: { 'ndcg@10': value },
      numTargets: 10,
      numUnknownTargets: 0,
      numExcludedTargets: 0,
      slices: [],
      heads: [],
      trainSeconds: 1,
      evaluateSeconds: 1,
    })),
  );
  return {
    experiment: { name: 'ml', evaluation: { split: 'test' } },
    environment: { startedAt: '2026-01-02T00:00:00Z', backend: { name: 'native' }, data: { checksum: 'c' } },
    summaries: summarizeResults(results as unknown as WindowResult[]),
    usage: [],
  } as unknown as RunReport;
}

test('a standard error is over windows; of a single window over its seeds; of one of both there is none', async () => {
  await addToIndex(folder, 'seeds', reportOf([[0.1, 0.3]]));
  await addToIndex(
    folder,
    'windows',
    reportOf([
      [0.1, 0.3],
      [0.3, 0.7],
    ]),
  );
  await addToIndex(folder, 'one', reportOf([[0.1]]));
  const found = (await readIndex(folder)).map(({ run, models: [{ metrics, numSeeds, numWindows }] }) => {
    const { mean, standardError } = metrics['ndcg@10'];
    return [run, mean.toFixed(6), standardError === null ? null : standardError.toFixed(6), numWindows, numSeeds];
  });
  // s / √n: √((.1² + .1²) / 1) / √2; windows are .2 and .5, √((.15² + .15²) / 1) / √2.
  expect(found).toEqual([
    ['seeds', '0.200000', '0.100000', 1, 2],
    ['windows', '0.350000', '0.150000', 2, 2],
    ['one', '0.100000', null, 1, 1],
  ]);
});
