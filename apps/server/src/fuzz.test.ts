import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Recommender } from '@nimue/recommender';
import { createRandom } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { writeModel } from '../test/write-model.ts';
import { createServer, DEFAULT_LIMITS, type NimueServer, ServedModel } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-fuzz-'));
beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => rmSync(root, { recursive: true }));

const URLS = ['/v1/recommend', '/v1/similar', '/v1/explain', '/v1/items', '/v1/users/ann'] as const;
/** A sound body of every route. */
const SOUND: Record<(typeof URLS)[number], Record<string, unknown>> = {
  '/v1/recommend': {
    sessions: [{ items: ['i1', 'i2', 3], timestampsMs: [1, 2, 3], columns: { brand: ['a', null, 'b'] } }],
    k: 5,
    filterSeen: true,
    candidates: ['i1', 'i2', 'i3'],
    exclude: ['i3'],
    onUnsupported: 'warn',
    withScores: true,
  },
  '/v1/similar': { items: ['i1'], k: 3 },
  '/v1/explain': { session: { items: ['i1', 'i2'] }, item: 'i3' },
  '/v1/items': { items: [{ item: 'new', title: 'New', columns: { brand: 'a' }, like: ['i1'] }] },
  '/v1/users/ann': { items: ['i1'], context: { brand: 'a' } },
};
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -1e308,
  1e21,
  '',
  ' ',
  'i1',
  'nobody',
  '\u0000next',
  '\u0000',
  '\ud800',
  '../../etc/passwd',
  '<script>',
  "'; DROP TABLE",
  'x'.repeat(600),
  [],
  [[]],
  [null],
  ['i1', ['i2']],
  {},
  { items: [] },
  { items: ['i1'] },
  { a: { b: { c: 1 } } },
  { constructor: 1 },
  { toString: 'x' },
  Array(70).fill({ items: ['i1'] }),
  Array(1100).fill('i1'),
];
const RAW_BODIES = [
  '',
  '{',
  '[]',
  'null',
  '"text"',
  '12',
  '{"sessions":',
  '{"__proto__":{"k":1},"sessions":[]}',
  '{"sessions":[{"items":["i1"],"__proto__":{"x":1}}]}',
  '{"constructor":{"prototype":{"x":1}},"sessions":[{"items":["i1"]}]}',
  '{"sessions":[{"items":["i1"]}],"k":1e999}',
  '{"sessions":[{"items":["i1"],"timestampsMs":[1e999]}]}',
  '{"sessions":[{"items":[NaN]}]}',
  '\ufeff{"sessions":[{"items":["i1"]}]}',
  '{"sessions":[{"items":["i1"]}]} trailing',
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  '\u0000\u0001',
];

type Json = Record<string, unknown> | unknown[];

/** Changes a place of a body: another value, a key more, a key less. */
function mutate(body: Json, random: () => number): Json {
  const copy = JSON.parse(JSON.stringify(body)) as Json;
  const places: { holder: Json; key: string | number }[] = [];
  const walk = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) {
      places.push({ holder: value as Json, key });
      walk((value as Record<string, unknown>)[key]);
    }
  };
  walk(copy);
  for (let n = 0; n <= Math.floor(3 * random()); n++) {
    const { holder, key } = places[Math.floor(places.length * random())];
    const record = holder as Record<string, unknown>;
    const kind = random();
    const odd = ODD_VALUES[Math.floor(ODD_VALUES.length * random())];
    if (kind < 0.7) record[key] = odd;
    else if (kind < 0.85) delete record[key];
    else if (!Array.isArray(holder)) record[`odd${Math.floor(3 * random())}`] = odd;
    else holder.push(odd as never);
  }
  return copy;
}

async function expectNo5xx(server: NimueServer, url: string, payload: string | Buffer, type = 'application/json') {
  const method = url.startsWith('/v1/users') ? 'PUT' : 'POST';
  const response = await server.http.inject({ method, url, payload, headers: { 'content-type': type } });
  if (response.statusCode >= 500)
    throw new Error(`${response.statusCode} to ${url} ${payload.toString().slice(0, 500)}`);
  if (response.statusCode >= 400) {
    const { error } = response.json();
    expect(typeof error.code).toBe('string');
    expect(error.message).not.toMatch(/node_modules|\.ts\b|\.js\b| {4}at /);
  }
  return response.statusCode;
}

describe.each(['sasrec', 'hstu', 'gru4rec', 'vsknn', 'popularity'])('%s', (name) => {
  test('hundreds of odd bodies are answered or refused, none is a failure of the server', async () => {
    const folder = join(root, name);
    const shape = ['sasrec', 'hstu'].includes(name) ? { hiddenSize: 4, numBlocks: 1, maxLength: 5 } : {};
    await writeModel(folder, name, {
      config: name === 'gru4rec' ? { hiddenSize: 4 } : shape,
      withBrands: name === 'gru4rec',
    });
    const model = new ServedModel(() => Recommender.loadAside(folder), DEFAULT_LIMITS);
    const server = await createServer(model, { logLevel: 'silent' });
    await server.reload();
    const random = createRandom(17);
    const statuses = new Map<number, number>();
    const note = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
    for (const url of URLS) {
      for (let n = 0; n < 60; n++) note(await expectNo5xx(server, url, JSON.stringify(mutate(SOUND[url], random))));
      for (const raw of RAW_BODIES) {
        const status = await expectNo5xx(server, url, raw);
        expect(status).toBeGreaterThanOrEqual(raw.startsWith('\ufeff') ? 200 : 400);
        note(status);
      }
      note(await expectNo5xx(server, url, 'items=i1', 'application/x-www-form-urlencoded'));
      note(await expectNo5xx(server, url, Buffer.from([0xff, 0xfe, 0x80]), 'application/json; charset=utf-16'));
      note(await expectNo5xx(server, url, JSON.stringify({ x: 'y'.repeat(300_000) })));
    }
    expect(statuses.get(400) ?? 0).toBeGreaterThan(150);
    expect([...statuses.values()].reduce((a, b) => a + b, 0)).toBe(URLS.length * (63 + RAW_BODIES.length));
    // It still answers.
    const times = { timestampsMs: [1] };
    const sound = JSON.stringify({ sessions: [{ items: ['i1'], ...times }] });
    expect(await expectNo5xx(server, '/v1/recommend', sound)).toBe(200);
    await server.close();
  });
});
