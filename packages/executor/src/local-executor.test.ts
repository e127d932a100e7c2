import { createLocalExecutor, type Job, type JobHandler, type JobSource, NoMemoryError } from './index.ts';

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

/** Jobs 0 … 2, and for each that has ended one of ten times its number as long as that is below 100. */
function growing(): JobSource<number> & { onOutcome(job: Job<number>): void } {
  const waiting = [0, 1, 2];
  return {
    async next() {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const value = waiting.shift();
      return value === undefined ? undefined : { id: `${value}`, name: `job ${value}`, input: value };
    },
    numWaiting: () => waiting.length,
    onOutcome({ input }) {
      if (input > 0 && 10 * input < 100) waiting.push(10 * input);
    },
  };
}

test.each([1, 2, 5])('jobs that come of what has ended, %i at a time', async (workers) => {
  const source = growing();
  const started: number[] = [];
  const executor = createLocalExecutor<number, number>({
    workers,
    handle: async (value) => {
      started.push(value);
      // The last of the first three is still running when the others have ended.
      await new Promise((resolve) => setTimeout(resolve, value === 2 ? 20 : 1));
      return { status: 'done', result: -value };
    },
  });
  const outcomes = await executor.run(source, { onOutcome: (job) => source.onOutcome(job) });
  expect(started.slice(0, 3)).toEqual([0, 1, 2]);
  expect([...started].sort((a, b) => a - b)).toEqual([0, 1, 2, 10, 20]);
  expect(outcomes.map((outcome) => outcome.status !== 'failed' && -outcome.result)).toEqual(started);
});

test('a source that fails ends the run, after what runs has ended', async () => {
  let ended = 0;
  const executor = createLocalExecutor<number, number>({
    workers: 2,
    handle: async (value) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended++;
      return { status: 'done', result: value };
    },
  });
  let numAsked = 0;
  const source: JobSource<number> = {
    next: async () => {
      if (numAsked++ > 0) throw new Error('no such file');
      return { id: '0', name: 'job 0', input: 0 };
    },
    numWaiting: () => 1,
  };
  await expect(executor.run(source)).rejects.toThrow('no such file');
  expect(ended).toBe(1);
});

test('what finds no memory beside the others is begun again when there is room, before all others', async () => {
  const log: string[] = [];
  const refused = new Set<number>();
  let running = 0;
  const executor = createLocalExecutor<number, number>({
    workers: 2,
    memoryBytes: 250,
    memoryOf: (value) => (value === 2 ? 200 : 100),
    handle: async (value) => {
      running++;
      log.push(`${value} beside ${running - 1}`);
      await new Promise((resolve) => setTimeout(resolve, value === 2 ? 1 : 5));
      running--;
      if (value === 2 && !refused.has(value)) {
        refused.add(value);
        throw new NoMemoryError(200);
      }
      return { status: 'done', result: value };
    },
  });
  const jobs = [0, 1, 2, 3].map((value) => ({ id: `${value}`, name: `job ${value}`, input: value }));
  const outcomes = await executor.run(jobs);
  expect(outcomes).toEqual(jobs.map(({ input }) => ({ status: 'done', result: input })));
  // The first alone, since nothing is known; 2 fails beside 1; from then on everything is taken for as large.
  expect(log).toEqual(['0 beside 0', '1 beside 0', '2 beside 1', '2 beside 0', '3 beside 0']);
});
