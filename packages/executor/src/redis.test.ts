import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, startRedisServer, withoutRedis } from '../test/redis-server.ts';
import {
  createRedisExecutor,
  type ExecutorProgress,
  HopelessError,
  type Job,
  type JobHandler,
  type Outcome,
  parseRedisUrl,
  readQueue,
  retryDeadLetters,
  startRedisWorker,
} from './index.ts';

const withRedis = withoutRedis ? describe.skip : describe;
if (withoutRedis) console.warn(`skipped: ${withoutRedis}`);

type Input = { value: number };
const jobsOf = (count: number, prefix: string): Job<Input>[] =>
  Array.from({ length: count }, (_, value) => ({ id: `${prefix}-${value}`, name: `job ${value}`, input: { value } }));
const doubled: JobHandler<Input, number> = async ({ value }) => ({ status: 'done', result: 2 * value });

test('the address of a Redis', () => {
  expect(parseRedisUrl('rediss://u:p@host:1234/2').port).toBe('1234');
  for (const bad of ['localhost:6379', 'http://host', 'redis://', 'redis://host/name']) {
    expect(() => parseRedisUrl(bad)).toThrow('is no address of a Redis, expected redis://host:6379');
  }
});

test('no Redis is said at once', async () => {
  await expect(createRedisExecutor({ url: 'redis://127.0.0.1:1' })).rejects.toThrow(
    /no Redis answers at 127.0.0.1:1: .*; start one with redis-server --appendonly yes/,
  );
});

withRedis('on a Redis of its own', () => {
  let server: RedisServer;
  let number = 0;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.remove());

  /** A queue of its own, with workers and a submitter; all are closed. */
  async function scene<T>(
    handlers: readonly JobHandler<Input, number>[],
    body: (tools: {
      executor: Awaited<ReturnType<typeof createRedisExecutor<Input, number>>>;
      settings: { url: string; queue: string; lockMs: number };
    }) => Promise<T>,
    concurrency = 1,
  ): Promise<T> {
    const settings = { url: server.url, queue: `test${number++}`, lockMs: 2000 };
    const workers = await Promise.all(
      handlers.map((handle) => startRedisWorker<Input, number>({ ...settings, handle, concurrency })),
    );
    const executor = await createRedisExecutor<Input, number>({ ...settings, checkMs: 300 });
    try {
      return await body({ executor, settings });
    } finally {
      await executor.close();
      await Promise.all(workers.map((worker) => worker.close()));
    }
  }

  test('every job has its outcome, in order; an id that comes twice is worked on once', async () => {
    const calls: number[] = [];
    const handle: JobHandler<Input, number> = (input, context) => {
      calls.push(input.value);
      return doubled(input, context);
    };
    await scene([handle, handle], async ({ executor }) => {
      const jobs = [...jobsOf(20, 'a'), jobsOf(1, 'a')[0]];
      const heard: number[] = [];
      const outcomes = await executor.run(jobs, { onOutcome: (_job, _outcome, index) => heard.push(index) });
      expect(outcomes).toEqual(jobs.map(({ input }) => ({ status: 'done', result: 2 * input.value })));
      expect(heard.sort((a, b) => a - b)).toEqual(jobs.map((_, i) => i));
      expect(calls.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      // Asked for again, all of it is there.
      const again = await executor.run(jobs);
      expect(again.every(({ status }) => status === 'reused')).toBe(true);
      expect(calls).toHaveLength(20);
      expect(await executor.run([])).toEqual([]);
    });
  });

  test('what fails is tried again; what is hopeless is not; both end among the dead letters and can be queued again', async () => {
    const attempts = new Map<number, number>();
    const beganMs: number[] = [];
    let isMended = false;
    const handle: JobHandler<Input, number> = async ({ value }) => {
      attempts.set(value, (attempts.get(value) ?? 0) + 1);
      if (value === 0) beganMs.push(performance.now());
      if (value === 0 && attempts.get(0) === 1) throw new Error('the network was away');
      if (value === 1 && !isMended) throw new HopelessError('no such model');
      return { status: 'done', result: value };
    };
    await scene([handle], async ({ executor, settings }) => {
      const outcomes = await executor.run(jobsOf(3, 'b'));
      expect(outcomes).toEqual([
        { status: 'done', result: 0 },
        { status: 'failed', error: 'no such model' },
        { status: 'done', result: 2 },
      ]);
      expect([...attempts.values()]).toEqual([2, 1, 1]);
      // Not at once: 1 s, of which up to half is left to chance.
      expect(beganMs[1] - beganMs[0]).toBeGreaterThan(450);
      const { counts, deadLetters } = await readQueue(settings);
      expect(counts).toEqual({ waiting: 0, running: 0, delayed: 0, done: 2, failed: 1 });
      expect(deadLetters).toEqual([
        { id: 'b-1', error: 'no such model', attempts: 1, failedAt: expect.any(String), input: { value: 1 } },
      ]);
      isMended = true;
      expect(await retryDeadLetters(settings)).toBe(1);
      expect((await executor.run(jobsOf(3, 'b'))).map(({ status }) => status)).not.toContain('failed');
    });
  });

  test('progress of jobs and of all together is heard; priorities go first', async () => {
    const order: string[] = [];
    const handle: JobHandler<Input, number> = async ({ value }, { id, onProgress }) => {
      order.push(id);
      onProgress({ window: 'half way' });
      await sleep(50);
      return { status: 'done', result: value };
    };
    const settings = { url: server.url, queue: `test${number++}` };
    const later = await createRedisExecutor<Input, number>({ ...settings, priority: 9 });
    const first = await createRedisExecutor<Input, number>({ ...settings, priority: 1 });
    const said: unknown[] = [];
    const heard: ExecutorProgress[] = [];
    const waiting = [
      later.run(jobsOf(3, 'later'), {
        onJobProgress: ({ id }, progress) => said.push([id, progress]),
        onProgress: (progress) => heard.push(progress),
      }),
      first.run(jobsOf(3, 'first')),
    ];
    let counts = { waiting: 0 };
    while (counts.waiting < 6) counts = (await readQueue(settings)).counts;
    const worker = await startRedisWorker<Input, number>({ ...settings, handle });
    await Promise.all(waiting);
    expect(order.slice(0, 3).every((id) => id.startsWith('first'))).toBe(true);
    expect(said).toContainEqual(['later-0', { window: 'half way' }]);
    const last = heard[heard.length - 1];
    expect(last).toMatchObject({ numDone: 3, numFailed: 0, numRunning: 0, numWaiting: 0 });
    expect(last.perMinute).toBeGreaterThan(0);
    await Promise.all([later.close(), first.close(), worker.close()]);
  });

  test('a source gives further jobs as others end, and those of a higher precedence go before what waits', async () => {
    for (const priority of [undefined, 7]) {
      const order: number[] = [];
      let numQueued = async () => 0;
      const handle: JobHandler<Input, number> = async ({ value }) => {
        // What came of those before this one is in the queue before this one ends.
        const numExpected = 4 + Number(order.includes(0)) + Number(order.includes(10));
        order.push(value);
        while ((await numQueued()) < numExpected) await sleep(5);
        return { status: 'done', result: value };
      };
      await scene([handle], async ({ settings }) => {
        numQueued = async () => {
          const { waiting, running, done } = (await readQueue(settings)).counts;
          return waiting + running + done;
        };
        const executor = await createRedisExecutor<Input, number>({ ...settings, priority });
        const waiting = [0, 1, 2, 3].map((value) => ({ value, precedence: 0 }));
        const outcomes = await executor.run(
          {
            next: async () => {
              const job = waiting.shift();
              return (
                job && { id: `s-${job.value}`, name: 'job', input: { value: job.value }, precedence: job.precedence }
              );
            },
            numWaiting: () => waiting.length,
          },
          {
            onOutcome: (_job, outcome) => {
              if (outcome.status === 'failed') throw new Error(outcome.error);
              if (outcome.result === 0) waiting.push({ value: 10, precedence: 1 });
              if (outcome.result === 10) waiting.push({ value: 100, precedence: 2 });
            },
          },
        );
        await executor.close();
        expect(outcomes.map((outcome) => outcome.status !== 'failed' && outcome.result)).toEqual([0, 1, 2, 3, 10, 100]);
      });
      expect(order).toHaveLength(6);
      // Each overtakes what waited, at most one had begun before it was queued.
      expect(order.indexOf(10)).toBeLessThanOrEqual(2);
      expect(order.indexOf(100)).toBeLessThanOrEqual(order.indexOf(10) + 2);
    }
  });

  test('the submitter stops: what waits is taken out, what runs is stopped, nothing is left running', async () => {
    const stopped: string[] = [];
    const handle: JobHandler<Input, number> = (_input, { id, signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          stopped.push(id);
          reject(new Error('stopped'));
        });
      });
    await scene([handle], async ({ executor, settings }) => {
      const controller = new AbortController();
      const run = executor.run(jobsOf(5, 'c'), { signal: controller.signal });
      let running = 0;
      while (running < 1) running = (await readQueue(settings)).counts.running;
      controller.abort(new Error('Ctrl-C'));
      await expect(run).rejects.toThrow('Ctrl-C');
      while (stopped.length < 1) await sleep(50);
      expect(stopped).toHaveLength(1);
      let state = await readQueue(settings);
      while (state.counts.running > 0) state = await readQueue(settings);
      expect(state.counts.waiting).toBe(0);
      expect(state.deadLetters.map(({ error }) => error)).toEqual(['cancelled']);
    });
  });

  test('a worker that is asked to stop gives its job back, and another one does it', async () => {
    const settings = { url: server.url, queue: `test${number++}`, lockMs: 2000 };
    const never: JobHandler<Input, number> = (_input, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    const leaving = await startRedisWorker<Input, number>({ ...settings, handle: never });
    const executor = await createRedisExecutor<Input, number>(settings);
    const run = executor.run(jobsOf(1, 'd'));
    while (leaving.active().length === 0) await sleep(20);
    await leaving.close(10);
    const staying = await startRedisWorker<Input, number>({ ...settings, handle: doubled });
    expect(await run).toEqual([{ status: 'done', result: 0 }]);
    await Promise.all([executor.close(), staying.close()]);
  });

  test('Redis goes away and comes back; Redis loses everything: each job ends once all the same', async () => {
    const slow: JobHandler<Input, number> = async (input, context) => {
      await sleep(60);
      return doubled(input, context);
    };
    await scene(
      [slow, slow],
      async ({ executor }) => {
        const heard: Outcome<number>[] = [];
        const run = executor.run(jobsOf(60, 'e'), { onOutcome: (_job, outcome) => heard.push(outcome) });
        while (heard.length < 10) await sleep(10);
        await server.restart();
        while (heard.length < 25) await sleep(10);
        await server.stop({ loseData: true });
        await server.start();
        const outcomes = await run;
        expect(outcomes.map((outcome) => outcome.status !== 'failed' && outcome.result)).toEqual(
          Array.from({ length: 60 }, (_, value) => 2 * value),
        );
        expect(heard).toHaveLength(60);
      },
      2,
    );
  }, 60_000);
});
