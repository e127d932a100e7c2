import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { models } from '@nimue/models';
import * as tf from '@tensorflow/tfjs';
import { type PLAIN, QUESTIONS as questions, trainSmall } from '../test/train-small.ts';
import { Recommender, RequestError } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-recommender-'));
const train = (name: string, folder: string, seenItems: 'keep' | 'exclude' = 'keep') =>
  trainSmall(name, join(root, folder), { seenItems });

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => rmSync(root, { recursive: true }));

const visibleOf = ({ items, timestampsMs }: (typeof PLAIN)[number]) => ({
  items: items.slice(0, -1),
  timestampsMs: timestampsMs.slice(0, -1),
});

test.each(Object.keys(models))('%s: the saved model answers with the numbers of evaluation', async (name) => {
  for (const seenItems of ['keep', 'exclude'] as const) {
    const folder = `${name}-${seenItems}`;
    const { targetValues } = await train(name, folder, seenItems);
    const recommender = Recommender.load(join(root, folder));
    const filterSeen = seenItems === 'exclude';
    const answers = recommender.recommend({ sessions: questions.map(visibleOf), k: 20, filterSeen, withScores: true });
    const reciprocal = questions.map(({ items }, s) => {
      const target = answers[s].items.find(({ item }) => item === items[items.length - 1]);
      if (!target) return 0;
      const score = target.score as number;
      // A tie counts against the target.
      return 1 / answers[s].items.filter((other) => (other.score as number) >= score).length;
    });
    expect(reciprocal.some((value) => value > 0)).toBe(true);
    expect(reciprocal).toEqual([...(targetValues?.['mrr@20'] ?? [])]);
    recommender.dispose();
  }
  expect(tf.memory().numTensors).toBe(0);
});

describe('requests', () => {
  const folder = join(root, 'asked');
  let recommender: Recommender;
  beforeAll(async () => {
    await train('sasrec', 'asked');
    recommender = Recommender.load(folder);
  });
  afterAll(() => recommender.dispose());
  const listed = (request: Parameters<Recommender['recommend']>[0]) =>
    recommender.recommend(request).map(({ items }) => items.map(({ item }) => item));
  const sessions = [{ items: ['i1', 'i2'] }];

  test('k is cut to what there is; candidates, exclusions and seen items hold; reserved ids never come', () => {
    const [all] = listed({ sessions, k: 1000 });
    expect([...all].sort()).toEqual(Array.from({ length: 9 }, (_, i) => `i${i}`));
    expect(listed({ sessions, k: 3 })).toEqual([all.slice(0, 3)]);
    expect(listed({ sessions, k: 9, filterSeen: true })).toEqual([all.filter((item) => !['i1', 'i2'].includes(item))]);
    expect(listed({ sessions, k: 9, exclude: ['i5', 'nothing'] })).toEqual([all.filter((item) => item !== 'i5')]);
    const some = ['i7', 'i0', 'i3'];
    expect(listed({ sessions, candidates: [...some, 'nothing'] })).toEqual([all.filter((item) => some.includes(item))]);
    expect(listed({ sessions, candidates: ['nothing'] })).toEqual([[]]);
    expect(listed({})).toEqual([]);
    expect(listed({ sessions, k: 9, candidates: [...some, ...some] })).toEqual(
      listed({ sessions, k: 9, candidates: some }),
    );
    for (const k of [0, 1.5, Number.NaN]) expect(() => listed({ sessions, k })).toThrow(RequestError);
  });

  test('unknown items change nothing; a session of nothing else is refused, answered with a warning or left empty', () => {
    const odd = { items: ['new', 'i1', 'new', 'i2', 'other'] };
    const [plainAnswer] = recommender.recommend({ sessions, withScores: true });
    expect(recommender.recommend({ sessions: [odd], withScores: true })[0]).toEqual({
      ...plainAnswer,
      unknownItems: ['new', 'new', 'other'],
    });
    const unsupported = [{ items: ['new'] }, { items: [] }, ...sessions];
    expect(() => recommender.recommend({ sessions: unsupported, onUnsupported: 'error' })).toThrow(
      'session 0 has no item that the model knows (new)',
    );
    const warned = recommender.recommend({ sessions: unsupported, k: 4 });
    expect(warned.map(({ items, warning }) => [items.length, warning])).toEqual([
      [4, 'session 0 has no item that the model knows (new)'],
      [4, 'session 1 has no items'],
      [4, undefined],
    ]);
    expect(listed({ sessions: unsupported, k: 4, onUnsupported: 'skip' }).map((list) => list.length)).toEqual([
      0, 0, 4,
    ]);
  });

  test('a known user is answered by the history; an unknown one is unsupported', () => {
    recommender.setHistory('ann', sessions[0]);
    expect(listed({ users: ['ann'] })).toEqual(listed({ sessions }));
    expect(() => listed({ users: ['bob'], onUnsupported: 'error' })).toThrow("user 'bob' is not known");
  });

  test('many requests at once are answered as each alone; one that is at fault spoils no other', () => {
    const requests = [
      { sessions, k: 2 },
      { sessions: [{ items: ['i3'] }, { items: [] }], k: 5, filterSeen: true, withScores: true },
      { sessions: [{ items: ['i3'], timestampsMs: [1, 2] }] },
      { sessions: [{ items: ['i4', 'i5'], timestampsMs: [1, 2] }], k: 3, exclude: ['i0'] },
      { sessions: [{ items: ['nobody knows'] }], onUnsupported: 'error' },
      { sessions, candidates: ['i7', 'i2'] },
      { sessions, k: 0 },
      { users: ['ann', 'bob'], onUnsupported: 'skip' },
    ] as const;
    const alone = requests.map((request) => {
      try {
        return recommender.recommend(request);
      } catch (error) {
        return error;
      }
    });
    expect(recommender.recommendAll(requests)).toEqual(alone);
    expect(alone.map((answer) => answer instanceof RequestError)).toEqual([
      false,
      false,
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(recommender.recommendAll([])).toEqual([]);
  });

  test('a column that no feature reads is refused, not passed over', () => {
    expect(() => listed({ sessions: [{ items: ['i1'], context: { device: 'phone' } }] })).toThrow(
      "session 0: no feature of the model reads a column 'device' (it reads: none)",
    );
  });

  test('similar items by cosine: that of the weights, never the item itself', () => {
    const [similar] = recommender.similarItems({ items: ['i3'], k: 99 });
    expect(similar).toHaveLength(8);
    expect(similar.map(({ item }) => item)).not.toContain('i3');
    const bytes = readFileSync(join(folder, 'weights.safetensors'));
    const headerBytes = Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes));
    const { ids } = JSON.parse(readFileSync(join(folder, 'items.json'), 'utf8')) as { ids: string[] };
    const { data_offsets: offsets, shape } = header['weights/items'];
    const row = (item: string) =>
      Array.from({ length: shape[1] }, (_, d) =>
        bytes.readFloatLE(8 + headerBytes + offsets[0] + 4 * ((3 + ids.indexOf(item)) * shape[1] + d)),
      );
    const dot = (a: number[], b: number[]) => a.reduce((sum, x, d) => sum + x * b[d], 0);
    for (const { item, score } of similar) {
      const [a, b] = [row('i3'), row(item)];
      expect(score).toBeCloseTo(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), 5);
    }
    expect(() => recommender.similarItems({ items: ['new'] })).toThrow("item 'new' is not known");
  });

  test('explain: the score lost without each event', () => {
    const effects = recommender.explain({ session: { items: ['i1', 'new', 'i2'] }, item: 'i4' });
    const score = (items: string[]) =>
      recommender.recommend({ sessions: [{ items }], candidates: ['i4'], withScores: true })[0].items[0]
        .score as number;
    expect(effects).toEqual([
      { item: 'i1', effect: score(['i1', 'i2']) - score(['i2']) },
      { item: 'new', effect: 0 },
      { item: 'i2', effect: score(['i1', 'i2']) - score(['i1']) },
    ]);
  });

  test('a folder that is damaged, of another version or not there is refused by name; none is overwritten', async () => {
    expect(() => Recommender.load(join(root, 'none'))).toThrow(/model folder .*none cannot be used: manifest\.json/);
    await expect(train('sasrec', 'asked')).rejects.toThrow('it exists already');
    expect(readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const damaged = join(root, 'damaged');
    await train('popularity', 'damaged');
    const weights = join(damaged, 'weights.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(weights, bytes);
    expect(() => Recommender.load(damaged)).toThrow('weights.safetensors is not the file that the manifest');
    const manifest = join(damaged, 'manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"schemaVersion": 1', '"schemaVersion": 2'));
    expect(() => Recommender.load(damaged)).toThrow('schemaVersion');
  });
});
