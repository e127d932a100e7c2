import { createLocalExecutor, type JobHandler } from './index.ts';

const run = async (
  numJobs: number,
  options: { workers: number; memory?: number; fails?: number; finished?: number; stopAt?: number },
) => {
  let running = 0;
  let most = 0;
  const log: string[] = [];
  const controller = new AbortController();
  const handle: JobHandler<number, number> = async (value) => {
    if (value === options.finished) return { status: 'reused', result: 1000 };
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running--;
    if (value === options.stopAt) controller.abort(new Error('Ctrl-C'));
    if (value === options.fails) throw new Error(`job ${value} is broken`);
    return { status: 'done', result: value };
  };
  const executor = createLocalExecutor({
    handle,
    workers: options.workers,
    memoryBytes: options.memory,
    memoryOf: options.memory === undefined ? undefined : () => 100,
  });
  const jobs = Array.from({ length: numJobs }, (_, i) => ({ id: `${i}`, name: `job ${i}`, input: i }));
  const outcomes = await executor.run(jobs, {
    signal: controller.signal,
    onOutcome: ({ id }, { status }) => log.push(`${id} ${status}`),
  });
  return { outcomes, most, log };
};

test('one that fails stops no other, and a finished one does not run', async () => {
  const { outcomes, log } = await run(4, { workers: 2, memory: 1000, fails: 1, finished: 2 });
  expect(outcomes).toEqual([
    { status: 'done', result: 0 },
    { status: 'failed', error: 'job 1 is broken' },
    { status: 'reused', result: 1000 },
    { status: 'done', result: 3 },
  ]);
  expect([...log].sort()).toEqual(['0 done', '1 failed', '2 reused', '3 done']);
});

test('as many at a time as workers and memory allow', async () => {
  expect((await run(9, { workers: 3 })).most).toBe(3);
  expect((await run(9, { workers: 3, memory: 1000 })).most).toBe(3);
  expect((await run(9, { workers: 3, memory: 250 })).most).toBe(2);
  expect((await run(5, { workers: 3, memory: 50 })).most).toBe(1);
});

test('no jobs, no outcome; a stop ends with its reason', async () => {
  expect((await run(0, { workers: 3, memory: 50 })).outcomes).toEqual([]);
  await expect(run(9, { workers: 1, stopAt: 2 })).rejects.toThrow('Ctrl-C');
});
