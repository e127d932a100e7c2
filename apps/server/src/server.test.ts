import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Recommender } from '@nimue/recommender';
import * as tf from '@tensorflow/tfjs';
import { writeModel } from '../test/write-model.ts';
import { createServer, DEFAULT_LIMITS, type NimueServer, ServedModel, type ServerOptions } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-server-'));
const folders = { sasrec: join(root, 'sasrec'), hstu: join(root, 'hstu'), vsknn: join(root, 'vsknn') };
const branded = join(root, 'branded');
const small = { hiddenSize: 8, numBlocks: 1, maxLength: 10 };

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
  await writeModel(folders.sasrec, 'sasrec', { config: small });
  await writeModel(folders.hstu, 'hstu', { config: small });
  await writeModel(folders.vsknn, 'vsknn');
  await writeModel(branded, 'gru4rec', { config: { hiddenSize: 8 }, withBrands: true });
});
afterAll(() => rmSync(root, { recursive: true }));

async function serve(folder: string, options: ServerOptions = {}): Promise<NimueServer> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const server = await createServer(new ServedModel(() => Recommender.loadAside(folder), limits), {
    logLevel: 'silent',
    ...options,
  });
  await server.reload();
  return server;
}

async function post(server: NimueServer, url: string, body: unknown, headers: Record<string, string> = {}) {
  const isText = typeof body === 'string';
  const response = await server.http.inject({
    method: 'POST',
    url,
    payload: isText ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.statusCode, body: response.body ? response.json() : undefined, headers: response.headers };
}

test('answers as the library does, many requests at once too', async () => {
  const server = await serve(folders.sasrec);
  const recommender = Recommender.load(folders.sasrec);
  const requests = [
    { sessions: [{ items: ['i1', 'i2'] }], k: 3, withScores: true },
    { sessions: [{ items: ['i3', 'nobody knows'] }, { items: [] }], filterSeen: true },
    { sessions: [{ items: ['i5'] }], candidates: ['i1', 'i7'], exclude: ['i7'] },
    { users: ['ann'], onUnsupported: 'skip' },
  ] as const;
  const answers = await Promise.all(requests.map((request) => post(server, '/v1/recommend', request)));
  for (const [i, { status, body }] of answers.entries()) {
    expect(status).toBe(200);
    expect(body).toEqual({ results: recommender.recommend(requests[i]).map(withoutFloatDigits) });
  }
  const metrics = (await server.http.inject('/metrics')).body;
  expect(metrics).toContain('nimue_batch_size_sum 4\n');
  expect(metrics).toContain('nimue_batch_size_count 1\n');
  expect(metrics).toContain('nimue_http_requests_total{method="POST",route="/v1/recommend",status="200"} 4');
  expect(metrics).toContain('nimue_model_info{label="sasrec",trained_until="2024-01-01"} 1');
  const similar = await post(server, '/v1/similar', { items: ['i1'], k: 2 });
  expect(similar.body.results[0].map(({ item }: { item: string }) => item)).toEqual(
    recommender.similarItems({ items: ['i1'], k: 2 })[0].map(({ item }) => item),
  );
  const explained = await post(server, '/v1/explain', { session: { items: ['i1', 'i2'] }, item: 'i4' });
  expect(explained.body.effects).toHaveLength(2);
  recommender.dispose();
  await server.close();
  expect(tf.memory().numTensors).toBe(0);
});

const withoutFloatDigits = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

test('health, readiness, metrics, the OpenAPI page and what it describes', async () => {
  const model = new ServedModel(() => Recommender.load(folders.vsknn), DEFAULT_LIMITS);
  const server = await createServer(model, { logLevel: 'silent' });
  const status = async (url: string) => (await server.http.inject(url)).statusCode;
  expect([await status('/health'), await status('/ready')]).toEqual([200, 503]);
  const early = await post(server, '/v1/recommend', { sessions: [{ items: ['i1'] }] });
  expect(early.status).toBe(503);
  expect(early.headers['retry-after']).toBe('1');
  await server.reload();
  expect([await status('/health'), await status('/ready'), await status('/metrics')]).toEqual([200, 200, 200]);
  const page = await server.http.inject('/docs/');
  expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  const openapi = (await server.http.inject('/openapi.json')).json();
  expect(Object.keys(openapi.paths).sort()).toEqual(
    [
      '/health',
      '/metrics',
      '/ready',
      '/v1/explain',
      '/v1/items',
      '/v1/model',
      '/v1/recommend',
      '/v1/similar',
      '/v1/users/{user}',
    ].sort(),
  );
  expect(openapi.paths['/v1/recommend'].post.requestBody.content['application/json'].schema.properties.k.maximum).toBe(
    1000,
  );
  expect((await server.http.inject('/v1/model')).json()).toEqual({
    label: 'vsknn',
    trainedUntil: '2024-01-01',
    numItems: 20,
    numUsers: 0,
    generation: 1,
    columns: [],
  });
  await server.close();
});

test('a bearer token is asked of /v1 and of nothing else', async () => {
  const server = await serve(folders.vsknn, { token: 'open sesame' });
  const ask = (headers: Record<string, string>) =>
    post(server, '/v1/recommend', { sessions: [{ items: ['i1'] }] }, headers);
  expect((await ask({})).status).toBe(401);
  expect((await ask({ authorization: 'Bearer wrong' })).body.error.code).toBe('unauthorized');
  expect((await ask({ authorization: 'Basic b3BlbiBzZXNhbWU=' })).status).toBe(401);
  expect((await ask({ authorization: 'Bearer open sesame' })).status).toBe(200);
  for (const url of ['/health', '/ready', '/metrics', '/docs/']) {
    expect((await server.http.inject(url)).statusCode).toBe(200);
  }
  await server.close();
});

test('limits on body, k, sessions, events and waiting requests', async () => {
  const server = await serve(folders.vsknn, {
    limits: { maxBodyBytes: 2000, maxK: 5, maxSessions: 2, maxEvents: 3, maxWaiting: 1 },
  });
  const session = { items: ['i1'] };
  const asked = async (body: unknown) => (await post(server, '/v1/recommend', body)).status;
  expect(await asked({ sessions: [session], k: 5 })).toBe(200);
  expect(await asked({ sessions: [session], k: 6 })).toBe(400);
  expect(await asked({ sessions: [session, session, session] })).toBe(400);
  expect(await asked({ sessions: [session, session], users: ['ann'] })).toBe(400);
  expect(await asked({ sessions: [{ items: ['i1', 'i1', 'i1', 'i1'] }] })).toBe(400);
  expect(await asked({ sessions: [{ items: ['x'.repeat(2000)] }] })).toBe(413);
  const burst = await Promise.all(Array.from({ length: 4 }, () => asked({ sessions: [session] })));
  expect(burst.sort()).toEqual([200, 503, 503, 503]);
  await server.close();
});

test('an item that is added can be recommended at once, and after the next model is loaded', async () => {
  const server = await serve(branded);
  const add = (items: unknown) => post(server, '/v1/items', { items });
  expect(await add([{ item: 'new', title: 'A new one', columns: { brand: 'a' } }])).toMatchObject({
    status: 201,
    body: { numItems: 21 },
  });
  expect((await add([{ item: 'new' }])).body.error.message).toBe("item 'new' is known already");
  expect((await add([{ item: 'other', columns: { colour: 'red' } }])).status).toBe(422);
  const ask = { sessions: [{ items: ['i1'], columns: { brand: ['b'] } }], candidates: ['new'] };
  const expected = { items: [{ item: 'new', title: 'A new one' }], unknownItems: [] };
  expect((await post(server, '/v1/recommend', ask)).body.results).toEqual([expected]);
  await server.reload();
  expect((await post(server, '/v1/recommend', ask)).body.results).toEqual([expected]);
  await server.close();
});

test('the history of a user is kept, also over a new model', async () => {
  const server = await serve(folders.sasrec);
  const put = await server.http.inject({ method: 'PUT', url: '/v1/users/ann%20b', payload: { items: ['i1', 'i2'] } });
  expect(put.statusCode).toBe(204);
  await server.reload();
  const byUser = await post(server, '/v1/recommend', { users: ['ann b'] });
  const bySession = await post(server, '/v1/recommend', { sessions: [{ items: ['i1', 'i2'] }] });
  expect(byUser.body).toEqual(bySession.body);
  await server.close();
});

test('another model under load drops no request; one that cannot be used changes nothing', async () => {
  const current = join(root, 'current');
  symlinkSync(folders.sasrec, current);
  const next = join(root, 'next');
  await writeModel(next, 'sasrec', { config: small, seed: 2 });
  const server = await serve(current);
  const address = await server.http.listen({ port: 0 });
  let isDone = false;
  const seen = new Set<string>();
  const ask = async (times = Number.POSITIVE_INFINITY) => {
    for (let n = 0; n < times && !isDone; n++) {
      const response = await fetch(`${address}/v1/recommend`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sessions: [{ items: ['i1', 'i2'] }], withScores: true }),
      });
      expect(response.status).toBe(200);
      seen.add(await response.text());
    }
  };
  const asking = Promise.all([ask(), ask(), ask()]);
  /** Until so many different answers have been heard. */
  const heard = async (numAnswers: number) => {
    while (seen.size < numAnswers) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await heard(1);
  symlinkSync(next, `${current}.new`);
  renameSync(`${current}.new`, current);
  await server.reload();
  await heard(2);
  writeFileSync(join(root, 'broken'), '');
  symlinkSync(join(root, 'broken'), `${current}.new`);
  renameSync(`${current}.new`, current);
  await expect(server.reload()).rejects.toThrow('cannot be used');
  // What was served before goes on.
  await ask(1);
  isDone = true;
  await asking;
  expect(seen.size).toBe(2);
  expect((await server.http.inject('/metrics')).body).toContain('nimue_model_loads_total{result="failed"} 1');
  await server.close();
});

test('a failure of its own is told without a path, a stack or a message', async () => {
  let recommender: Recommender | undefined;
  const model = new ServedModel(() => {
    recommender = Recommender.load(folders.sasrec);
    return recommender;
  }, DEFAULT_LIMITS);
  const server = await createServer(model, { logLevel: 'silent' });
  await server.reload();
  Object.defineProperty(recommender, 'recommendAll', {
    value: () => {
      throw new Error(`ENOENT: no such file, open '${root}/secret'`);
    },
  });
  const { status, body } = await post(server, '/v1/recommend', { sessions: [{ items: ['i1'] }] });
  expect(status).toBe(500);
  expect(body.error.code).toBe('internal');
  expect(JSON.stringify(body)).not.toMatch(/secret|ENOENT|\/|at /);
  const missing = await server.http.inject(`/no/such${root}`);
  expect([missing.statusCode, missing.json()]).toEqual([
    404,
    { error: { code: 'not_found', message: 'there is no such route; see the page docs' } },
  ]);
  await server.close();
});
