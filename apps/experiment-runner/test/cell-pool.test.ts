import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { NoMemoryError } from '@nimue/executor';
import { InputError } from '../src/input-error.ts';
import { type CellPool, type CellPoolOptions, createCellPool } from '../src/sweep/cell-pool.ts';

const FAKE = fileURLToPath(new URL('fake-cell.mjs', import.meta.url));
const started: ChildProcess[] = [];
let pool: CellPool | undefined;
afterEach(() => {
  pool?.close();
  started.length = 0;
});

function createPool(options: CellPoolOptions = {}): CellPool {
  pool = createCellPool({
    watchMs: 5,
    start: () => {
      const child = fork(FAKE, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
      started.push(child);
      return child;
    },
    ...options,
  });
  return pool;
}
const run = (what: string, signal = new AbortController().signal, lines: string[] = []) =>
  (pool as CellPool).run({ experiment: what, prepared: '', out: '' }, signal, (line) => lines.push(line));

test('a process is used again, also after an error; one that crashed is not', async () => {
  createPool();
  const lines: string[] = [];
  expect(await run('work 1', undefined, lines)).toMatchObject({ run: '1' });
  expect(lines).toEqual(['working on 1']);
  await expect(run('fail')).rejects.toEqual(new InputError('a bad value'));
  expect(await run('work 2')).toMatchObject({ run: '2' });
  expect(started).toHaveLength(1);
  await expect(run('crash')).rejects.toThrow('the process was ended by SIGSEGV');
  expect(await run('work 3')).toMatchObject({ run: '3' });
  expect(started).toHaveLength(2);
});

test('with a time of grace a process may save; without one, or when it is over, it is killed', async () => {
  for (const [graceMs, what] of [
    [10_000, 'work 60000'],
    [0, 'work 60000'],
  ] as const) {
    createPool({ graceMs });
    const controller = new AbortController();
    const stopped = run(what, controller.signal);
    setTimeout(() => controller.abort(new Error('Ctrl-C')), 200);
    await expect(stopped).rejects.toThrow('Ctrl-C');
    expect(started.at(-1)?.signalCode).toBe(graceMs > 0 ? null : 'SIGKILL');
    pool?.close();
  }
});

test('above the limit idle processes go first, then the cell that began last, and one alone fails', async () => {
  let sizes: number[] = [];
  createPool({ memoryBytes: 1000, memoryOf: async (pid) => sizes[started.findIndex((child) => child.pid === pid)] });
  // Both become idle.
  await Promise.all([run('work 1'), run('work 1')]);
  expect(started).toHaveLength(2);
  sizes = [700, 600];
  await run('work 500');
  const kept = started.findIndex(({ signalCode }) => signalCode === null);
  expect(started[1 - kept].signalCode).toBe('SIGKILL');

  sizes = kept === 0 ? [600, 0, 0] : [0, 600, 0];
  const first = run('work 1500');
  const second = run('work 1500');
  const refused = expect(second).rejects.toEqual(new NoMemoryError(700));
  await new Promise((resolve) => setTimeout(resolve, 100));
  sizes[2] = 700;
  await refused;
  expect(await first).toMatchObject({ run: '1500' });

  sizes = [5 * 2 ** 20, 5 * 2 ** 20, 0];
  await expect(run('work 1500')).rejects.toThrow(
    'the process took 5 MiB, the sweep may have 0 MiB: raise sweep.memoryMiB, or make the model or its batches smaller',
  );
});
