import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { openStore } from '@nimue/executor';
import { unfinishedCell } from './unfinished-cell.ts';

const folder = mkdtempSync(join(tmpdir(), 'nimue-unfinished-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The folder of a run that was begun. */
function beginRun(out: string): string {
  const run = join(out, 'tiny', '20240101-120000-0a1b2c');
  mkdirSync(join(run, 'checkpoints'), { recursive: true });
  mkdirSync(join(run, 'models', 'gru4rec-seed1'), { recursive: true });
  for (const file of ['experiment.yaml', 'environment.json', 'metrics.jsonl']) writeFileSync(join(run, file), file);
  writeFileSync(join(run, 'models', 'gru4rec-seed1', 'weights.safetensors'), 'is written anew');
  return run;
}

test('the newest of every file goes to the next worker, and nothing stays when the cell has finished', async () => {
  const store = await openStore(join(folder, 'store'));
  const names = async () =>
    (await store.list('unfinished/')).map((name) => name.replace(/^unfinished\/k\/tiny\/[^/]+\/|-[0-9a-f]{8}$/g, ''));
  const first = unfinishedCell(store, 'k', join(folder, 'first'));
  expect(await first.fetch()).toBeUndefined();
  await first.keep();
  const run = beginRun(join(folder, 'first'));
  await first.keep();
  expect(await names()).toEqual([]);

  writeFileSync(join(run, 'checkpoints', 'window1.safetensors'), 'one');
  writeFileSync(join(run, 'checkpoints', 'window2.safetensors.1.tmp'), 'half of tw');
  await first.keep();
  const begun = ['environment.json@000000001', 'experiment.yaml@000000002', 'metrics.jsonl@000000003'];
  expect(await names()).toEqual(['checkpoints/window1.safetensors@000000004', ...begun]);

  rmSync(join(run, 'checkpoints', 'window1.safetensors'));
  writeFileSync(join(run, 'checkpoints', 'window2.safetensors'), 'two');
  writeFileSync(join(run, 'metrics.jsonl'), 'longer than before');
  await first.keep();
  const later = ['environment.json@000000001', 'experiment.yaml@000000002', 'metrics.jsonl@000000005'];
  expect(await names()).toEqual(['checkpoints/window2.safetensors@000000006', ...later]);

  const second = unfinishedCell(store, 'k', join(folder, 'second'));
  const fetched = await second.fetch();
  expect(fetched).toBe(join(folder, 'second', 'tiny', '20240101-120000-0a1b2c'));
  expect(readdirSync(String(fetched)).sort()).toEqual([
    'checkpoints',
    'environment.json',
    'experiment.yaml',
    'metrics.jsonl',
  ]);
  expect(readFileSync(join(String(fetched), 'metrics.jsonl'), 'utf8')).toBe('longer than before');
  expect(readdirSync(join(String(fetched), 'checkpoints'))).toEqual(['window2.safetensors']);
  const before = await store.list('unfinished/');
  await second.keep();
  expect(await store.list('unfinished/')).toEqual(before);

  writeFileSync(join(String(fetched), 'checkpoints', 'window2.safetensors'), 'another');
  await second.keep();
  expect(await names()).toEqual(['checkpoints/window2.safetensors@000000007', ...later]);
  await second.forget();
  expect(await names()).toEqual([]);
});

test('of another cell nothing is taken', async () => {
  const store = await openStore(join(folder, 'others'));
  const out = join(folder, 'other');
  writeFileSync(join(beginRun(out), 'checkpoints', 'window1.safetensors'), 'one');
  await unfinishedCell(store, 'ab', out).keep();
  expect(await unfinishedCell(store, 'a', join(folder, 'none')).fetch()).toBeUndefined();
});
