import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { datasetFromSessions, objectives, planRollingEvaluation } from '@nimue/data';
import { losses } from '@nimue/losses';
import { defaultObjective, type ModelSpec, models } from '@nimue/models';
import { evaluationSchema, runContender, trainingSchema } from '@nimue/trainer';
import * as tf from '@tensorflow/tfjs';
import { Recommender, RequestError, writeModelFolder } from './index.ts';

/** Three days; day by day an item comes in, and some sessions hold one that training has not seen. */
const plain = Array.from({ length: 48 }, (_, s) => {
  const day = s % 3;
  const items = Array.from({ length: 2 + (s % 4) }, (_, i) => `i${(s + i * i) % (8 + day)}`);
  const startMs = Date.UTC(2024, 0, 1 + day) + s * 100_000;
  return { items, timestampsMs: items.map((_, i) => startMs + i * 1000) };
});
const dataset = datasetFromSessions(plain, { split: { validShare: 0 } });
const plan = planRollingEvaluation(dataset.windows, { policy: 'incremental' });
const root = mkdtempSync(join(tmpdir(), 'nimue-recommender-'));
const questions = plain.filter((_, s) => s % 3 === 2);

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => rmSync(root, { recursive: true }));

async function train(name: string, folder: string, seenItems: 'keep' | 'exclude' = 'keep') {
  const spec = (models as unknown as Record<string, ModelSpec>)[name];
  const shape = (spec.configSchema as unknown as { shape?: Record<string, unknown> }).shape ?? {};
  const small = Object.entries({ hiddenSize: 4, maxLength: 3 }).filter(([key]) => key in shape);
  const config = spec.configSchema.parse(Object.fromEntries(small));
  const taught = defaultObjective(spec, config) as keyof typeof objectives;
  const objective = objectives[taught].create(objectives[taught].configSchema.parse({}) as never);
  const contender = {
    label: name,
    create: (size: Parameters<ModelSpec['create']>[1]) => spec.create(config, size),
    loss: losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({})),
    objective,
    training: trainingSchema.parse({ epochs: 1, batchSize: 8, averageDecay: 0.5 }),
  };
  const results = await runContender(contender, {
    dataset,
    plan,
    evaluation: evaluationSchema.parse({ metrics: ['mrr@20'], seenItems }),
    seed: 7,
    onTrained: (trained) => writeModelFolder(folder, trained, { model: { name, config } }),
  });
  return results[results.length - 1];
}

const visibleOf = ({ items, timestampsMs }: (typeof plain)[number]) => ({
  items: items.slice(0, -1),
  timestampsMs: timestampsMs.slice(0, -1),
});

test.each(Object.keys(models))('%s: the saved model answers with the numbers of evaluation', async (name) => {
  for (const seenItems of ['keep', 'exclude'] as const) {
    const folder = join(root, `${name}-${seenItems}`);
    const { targetValues } = await train(name, folder, seenItems);
    const recommender = Recommender.load(folder);
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
    await train('sasrec', folder);
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
    await expect(train('sasrec', folder)).rejects.toThrow('it exists already');
    expect(readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const damaged = join(root, 'damaged');
    await train('popularity', damaged);
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
