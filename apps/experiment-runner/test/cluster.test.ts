import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openStore, readQueue } from '@nimue/executor';
import { folderContents } from '@nimue/testing';
import { type RedisServer, startRedisServer, withoutRedis } from '../../../packages/executor/test/redis-server.ts';
import { startS3Server } from '../../../packages/executor/test/s3-server.ts';
import { TINY_EXPERIMENT, TINY_SHOP } from './tiny-experiment.ts';

const NIMUE = fileURLToPath(new URL('../bin/nimue.mjs', import.meta.url));
/** NIMUE_NUM_CELLS=1000 makes a longer check of it. */
const NUM_CELLS = Number(process.env.NIMUE_NUM_CELLS ?? 200);
const folder = mkdtempSync(join(tmpdir(), 'nimue-cluster-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

if (withoutRedis) console.warn(`skipped: ${withoutRedis}`);

/** Popularity with different decays at different depths: cells of a few milliseconds. */
function writeSweep(name: string, numCells: number): string {
  const file = join(folder, `${name}.yaml`);
  const numDepths = Math.min(20, numCells);
  const metrics = Array.from({ length: numDepths }, (_, i) => [`ndcg@${i + 1}`, 'hr@5']);
  const halfLives = Array.from({ length: numCells / numDepths }, (_, i) => 0.5 * (i + 1));
  writeFileSync(
    file,
    `name: ${name}
dataset: ${JSON.stringify({ generated: 'shop', ...TINY_SHOP })}
windows: { span: day, policy: incremental }
models: [{ name: popularity, over: decayed }]
evaluation: { metrics: [ndcg@5, hr@5], split: valid }
backend: cpu
sweep:
  strategy: grid
  workers: 2
  metric: hr@5
  values: { evaluation.metrics: ${JSON.stringify(metrics)}, models.0.halfLifeWindows: ${JSON.stringify(halfLives)} }
`,
  );
  return file;
}

interface SweepOutcome {
  readonly cells: readonly {
    readonly cell: object;
    readonly outcome: {
      readonly status: string;
      readonly error?: string;
      readonly result?: { models: { metrics: object }[] };
    };
  }[];
}

/** Every cell with its metrics, to the last bit. */
function figuresOf(file: string): unknown[] {
  const { cells } = JSON.parse(readFileSync(file, 'utf8')) as SweepOutcome;
  return cells.map(({ cell, outcome }) => [
    cell,
    outcome.error ?? outcome.result?.models.map(({ metrics }) => metrics),
  ]);
}

(withoutRedis ? describe.skip : describe)('sweeps over a Redis of its own', () => {
  let server: RedisServer;
  const children = new Set<ChildProcess>();
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await server.remove();
  });

  function start(args: readonly string[], environment: Record<string, string> = {}) {
    const env = { ...process.env, ...environment };
    const child = spawn(process.execPath, [NIMUE, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    children.add(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        text += chunk;
      });
    }
    const done = once(child, 'close').then(([code]) => ({ code: code as number | null, text }));
    done.then(() => children.delete(child));
    return { child, done, said: () => text };
  }
  const startWorker = (queue: string, more: readonly string[] = [], environment: Record<string, string> = {}) => {
    const here = ['--queue', queue, '--lock-seconds', '1', '--cache', `cache-${queue}`];
    return start(['worker', '--redis', server.url, ...here, ...more], environment);
  };
  const submit = (
    file: string,
    queue: string,
    more: readonly string[] = [],
    environment: Record<string, string> = {},
  ) =>
    start(['sweep', file, '--executor', server.url, '--queue', queue, '--out', `out-${queue}`, ...more], environment);

  test(`${NUM_CELLS} cells on 3 workers, one of which is killed every few seconds, and Redis restarted once: every cell once, with the bits of the local executor`, async () => {
    const file = writeSweep('chaos', NUM_CELLS);
    const local = start(['sweep', file, '--out', 'local']);
    expect(await local.done).toMatchObject({ code: 0 });

    let workers = [startWorker('chaos'), startWorker('chaos'), startWorker('chaos')];
    const sweep = submit(file, 'chaos');
    const numDone = () => sweep.said().match(/^cell \d+\/\d+ /gm)?.length ?? 0;
    let isOver = false;
    sweep.done.then(() => {
      isOver = true;
    });
    let numKills = 0;
    let wasRestarted = false;
    let lastTurn = -1;
    while (!isOver) {
      await sleep(4000);
      // One that has done something: on a slow machine a worker would else be killed before it has begun.
      const turn = [0, 1, 2].find((i) => workers[i].said().includes(': done') && i !== lastTurn);
      if (turn === undefined) continue;
      lastTurn = turn;
      workers[turn].child.kill('SIGKILL');
      numKills++;
      workers = workers.map((worker, i) => (i === turn ? startWorker('chaos') : worker));
      if (!wasRestarted && numDone() > NUM_CELLS / 4) {
        wasRestarted = true;
        await server.restart();
      }
    }
    const { code, text } = await sweep.done;
    expect([code, text.match(/failed: .*/)?.[0]]).toEqual([0, undefined]);
    for (const { child } of workers) child.kill('SIGKILL');
    expect(numKills).toBeGreaterThan(1);
    expect(wasRestarted).toBe(true);

    const lines = text.match(/^cell \d+\/\d+ /gm) ?? [];
    expect([lines.length, new Set(lines).size]).toEqual([NUM_CELLS, NUM_CELLS]);
    const expected = figuresOf(join(folder, 'local', 'chaos-sweep.json'));
    expect(expected).toHaveLength(NUM_CELLS);
    expect(figuresOf(join(folder, 'out-chaos', 'chaos-sweep.json'))).toEqual(expected);
    // The figures of the cells do differ, so that an exchange of two would be seen.
    expect(new Set(expected.map((row) => JSON.stringify((row as unknown[])[1]))).size).toBeGreaterThanOrEqual(20);
    const { counts } = await readQueue({ url: server.url, queue: 'chaos' });
    expect(counts).toEqual({ waiting: 0, running: 0, delayed: 0, done: NUM_CELLS, failed: 0 });
    const results = readdirSync(join(folder, 'out-chaos', 'store', 'cells'));
    expect(results).toHaveLength(NUM_CELLS);
  }, 1_200_000);

  test('the submitter is killed: workers finish what is queued, and the same command again takes it', async () => {
    const file = writeSweep('left', 12);
    const first = submit(file, 'left');
    while ((await readQueue({ url: server.url, queue: 'left' })).counts.waiting < 12) await sleep(100);
    first.child.kill('SIGKILL');
    await first.done;
    const worker = startWorker('left');
    while ((await readQueue({ url: server.url, queue: 'left' })).counts.done < 12) await sleep(100);
    const { code, text } = await submit(file, 'left').done;
    expect(code).toBe(0);
    expect(text.match(/: reused, hr@5 /g)).toHaveLength(12);
    worker.child.kill('SIGTERM');
    expect((await worker.done).code).toBe(0);
  }, 600_000);

  test('a worker is killed in the midst of a training: another goes on from what the store has, to the same figures', async () => {
    const file = join(folder, 'learns.yaml');
    writeFileSync(
      file,
      `${TINY_EXPERIMENT.replace('name: tiny', 'name: learns')
        .replace('  - name: popularity\n', '')
        .replace(/ {2}- { name: sasrec.*\n/, '')
        .replace('split: test', 'split: valid')
        .replace('epochs: 2', 'epochs: 40')}checkpoints: { everySeconds: 0.2 }
sweep: { strategy: grid, values: { training.learningRate: [0.02] } }
`,
    );
    const local = start(['sweep', file, '--out', 'learns-local']);
    expect(await local.done).toMatchObject({ code: 0 });

    const first = startWorker('learns', ['--keep-seconds', '1', '--json']);
    const sweep = submit(file, 'learns');
    const store = join(folder, 'out-learns', 'store');
    const kept = () => readdirSync(store, { recursive: true }).filter((name) => String(name).includes('.safetensors@'));
    while (!existsSync(join(store, 'unfinished')) || kept().length === 0) await sleep(20);
    first.child.kill('SIGKILL');
    await first.done;
    const [begins] = first
      .said()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(JSON.parse(begins)).toMatchObject({
      type: 'begins',
      attempt: 1,
      job: expect.stringMatching(/^[0-9a-f]{24}$/),
    });
    expect(existsSync(join(store, 'cells'))).toBe(false);

    const second = startWorker('learns', ['--keep-seconds', '1']);
    const { code, text } = await sweep.done;
    expect([code, text.match(/failed: .*/)?.[0]]).toEqual([0, undefined]);
    second.child.kill('SIGTERM');
    const { code: ended, text: told } = await second.done;
    expect([ended, told]).toEqual([0, expect.stringContaining(': goes on from the checkpoint of the worker before')]);
    expect(figuresOf(join(folder, 'out-learns', 'learns-sweep.json'))).toEqual(
      figuresOf(join(folder, 'learns-local', 'learns-sweep.json')),
    );
    // The run of the first worker went on: what it had written for TensorBoard is there beside that of the second.
    const events = readdirSync(join(store, 'cells'), { recursive: true }).filter((name) =>
      /gru4rec-seed1\/.*tfevents/.test(String(name)),
    );
    expect(events).toHaveLength(2);
    expect(kept()).toEqual([]);
  }, 120_000);

  test('the store is away: cells are tried again, end as dead letters with the reason, and go through when it is back', async () => {
    const file = writeSweep('store', 2);
    const blocked = join(folder, 'blocked');
    writeFileSync(blocked, 'a file where the folder of the store should be');
    const worker = startWorker('store', ['--store', join(blocked, 'store')]);
    const { code, text } = await submit(file, 'store').done;
    expect(code).toBe(1);
    expect(text.match(/failed: ENOTDIR/g)?.length).toBeGreaterThanOrEqual(2);
    worker.child.kill('SIGKILL');
    const listed = spawnSync(process.execPath, [NIMUE, 'queue', '--redis', server.url, '--queue', 'store'], {
      encoding: 'utf8',
    }).stdout;
    expect(listed).toMatch(/^0 waiting, 0 running, 0 to be tried again, 0 done, 2 failed$/m);
    expect(listed).toMatch(/ after 4 attempts: ENOTDIR/);
    startWorker('store');
    const again = await submit(file, 'store').done;
    expect(again.text.match(/: done, hr@5 /g)).toHaveLength(2);
  }, 120_000);

  test('a log in shards: workers, one of which is killed in a piece, give the bytes of one process; cells run on them', async () => {
    const file = writeSweep('shards', 2);
    const local = start(['sweep', file, '--out', 'out-whole', '--prepared', 'prepared-whole']);
    expect(await local.done).toMatchObject({ code: 0 });
    const [name] = readdirSync(join(folder, 'prepared-whole'));
    const expected = folderContents(join(folder, 'prepared-whole', name));

    const first = startWorker('shards');
    const sweep = submit(file, 'shards', ['--shards', '5', '--prepared', 'prepared-none']);
    while (!first.said().includes(': begins')) await sleep(20);
    first.child.kill('SIGKILL');
    const others = [startWorker('shards'), startWorker('shards')];
    const { code, text } = await sweep.done;
    expect([code, text.match(/failed: .*/)?.[0]]).toEqual([0, undefined]);
    for (const { child } of others) child.kill('SIGKILL');
    const store = join(folder, 'out-shards', 'store');
    expect(folderContents(join(store, 'prepared', name))).toEqual(expected);
    expect(readdirSync(join(folder, 'prepared-none'))).toEqual([]);
    expect(figuresOf(join(folder, 'out-shards', 'shards-sweep.json'))).toEqual(
      figuresOf(join(folder, 'out-whole', 'shards-sweep.json')),
    );

    // The same by processes of this machine, without Redis.
    const here = start(['data', 'prepare', file, '--shards', '3', '--prepared', 'prepared-here']);
    expect(await here.done).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^write 3\/3 after .*\n.*prepared: /ms),
    });
    expect(readdirSync(join(folder, 'prepared-here'))).toEqual([name]);
    expect(folderContents(join(folder, 'prepared-here', name))).toEqual(expected);
    const again = await start(['data', 'prepare', file, '--shards', '3', '--prepared', 'prepared-here']).done;
    expect([again.code, again.text.includes('look 1/1'), again.text.includes('find')]).toEqual([0, true, false]);
    expect(readdirSync(join(folder, 'prepared-here'))).toEqual([name]);
  }, 180_000);

  test('a log in shards through a bucket: a worker is killed in a piece, the bytes are those of one process, and cells run on them', async () => {
    const file = writeSweep('bucket', 2);
    const local = start(['sweep', file, '--out', 'out-one', '--prepared', 'prepared-one']);
    expect(await local.done).toMatchObject({ code: 0 });
    const [name] = readdirSync(join(folder, 'prepared-one'));

    const s3 = await startS3Server('experiments');
    try {
      const address = `s3://experiments/nimue?endpoint=${encodeURIComponent(s3.endpoint)}`;
      const first = startWorker('bucket', [], s3.environment);
      const sweep = submit(file, 'bucket', ['--shards', '4', '--store', address], s3.environment);
      while (!first.said().includes(': begins')) await sleep(20);
      first.child.kill('SIGKILL');
      const others = [startWorker('bucket', [], s3.environment), startWorker('bucket', [], s3.environment)];
      const { code, text } = await sweep.done;
      expect([code, text.match(/failed: .*/)?.[0]]).toEqual([0, undefined]);
      expect(figuresOf(join(folder, 'out-bucket', 'bucket-sweep.json'))).toEqual(
        figuresOf(join(folder, 'out-one', 'bucket-sweep.json')),
      );

      Object.assign(process.env, s3.environment);
      const store = await openStore(address);
      const names = await store.list('');
      // The pieces are gone; two cells have left their runs.
      expect(names.filter((file) => file.startsWith('shards/'))).toEqual([]);
      expect(names.filter((file) => /^cells\/[^/]+\/result\.json$/.test(file))).toHaveLength(2);
      const copied = join(folder, 'from-bucket');
      for (const file of names.filter((one) => one.startsWith(`prepared/${name}/`))) {
        mkdirSync(join(copied, file, '..'), { recursive: true });
        await store.download(file, join(copied, file));
      }
      expect(folderContents(join(copied, 'prepared', name))).toEqual(
        folderContents(join(folder, 'prepared-one', name)),
      );

      // What is there is found again.
      const more = ['--executor', server.url, '--queue', 'bucket', '--store', address];
      const again = start(['data', 'prepare', file, '--shards', '2', ...more], s3.environment);
      expect(await again.done).toMatchObject({ code: 0, text: expect.stringContaining(`/prepared/${name}`) });
      for (const { child } of others) child.kill('SIGKILL');
    } finally {
      await s3.remove();
    }
  }, 180_000);

  test('probes: a worker is healthy while it lives and ready while Redis answers', async () => {
    const port = 20_000 + (process.pid % 20_000);
    const worker = startWorker('probes', ['--health-port', `${port}`]);
    const ask = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`).then(
        ({ status }) => status,
        () => 0,
      );
    while ((await ask('/readyz')) !== 200) await sleep(100);
    expect(await ask('/healthz')).toBe(200);
    expect(await ask('/other')).toBe(404);
    await server.stop();
    while ((await ask('/readyz')) !== 503) await sleep(100);
    expect(await ask('/healthz')).toBe(200);
    await server.start();
    while ((await ask('/readyz')) !== 200) await sleep(100);
    worker.child.kill('SIGTERM');
    expect((await worker.done).code).toBe(0);
  }, 60_000);

  test('no Redis, a bad address, a bad number: said in one line', async () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [NIMUE, ...args], { cwd: folder, encoding: 'utf8' });
    const none = run('worker', '--redis', 'redis://127.0.0.1:1');
    expect([none.status, none.stderr]).toEqual([2, expect.stringMatching(/^no Redis answers at 127.0.0.1:1: /)]);
    expect(run('worker', '--redis', 'localhost').stderr).toContain("'localhost' is no address of a Redis");
    expect(run('worker', '--redis', server.url, '--concurrency', '0').stderr).toBe(
      "--concurrency: expected a whole number of at least 1, got '0'\n",
    );
  });
});
