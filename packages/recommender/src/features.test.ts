import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {
  EVERY_INPUT,
  everyFeature,
  FEATURE_QUESTIONS,
  FEATURE_SESSIONS,
  VECTORS_CSV,
} from '../test/feature-sessions.ts';
import { trainSmall } from '../test/train-small.ts';
import { Recommender } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-features-'));
beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
  writeFileSync(join(root, 'vectors.csv'), VECTORS_CSV);
});
afterAll(() => rmSync(root, { recursive: true }));

/** Of the targets in the lists, 0 where they are not in them; a tie counts against the target. */
function reciprocalRanks(answers: ReturnType<Recommender['recommend']>, targets: readonly string[]): number[] {
  return answers.map(({ items }, s) => {
    const target = items.find(({ item }) => item === targets[s]);
    return target ? 1 / items.filter(({ score }) => (score as number) >= (target.score as number)).length : 0;
  });
}

test.each(['gru4rec', 'sasrec', 'bert4rec'])(
  '%s with features: the saved model answers with the numbers of evaluation',
  async (name) => {
    const { targetValues } = await trainSmall(name, join(root, name), {
      sessions: FEATURE_SESSIONS,
      features: everyFeature(join(root, 'vectors.csv')),
      config: { inputs: EVERY_INPUT, ...(name !== 'gru4rec' && { maxLength: 3 }) },
      training: { epochs: 4, learningRate: 0.05 },
    });
    const recommender = Recommender.load(join(root, name));
    expect(recommender.columns).toEqual(
      expect.arrayContaining([
        { name: 'brand', kind: 'text' },
        { name: 'price', kind: 'number' },
      ]),
    );
    const answers = recommender.recommend({ sessions: FEATURE_QUESTIONS, k: 20, withScores: true });
    const targets = FEATURE_SESSIONS.filter((_, s) => s % 3 === 2).map(({ items }) => items[items.length - 1]);
    const reciprocal = reciprocalRanks(answers, targets);
    expect(new Set(reciprocal).size).toBeGreaterThan(3);
    expect(reciprocal).toEqual([...(targetValues?.['mrr@20'] ?? [])]);
    // What is the same in every event may be given once.
    const once = FEATURE_QUESTIONS.map(({ columns: { device, ...columns }, ...session }) => ({
      ...session,
      columns,
      context: { device: device[0] },
    }));
    expect(recommender.recommend({ sessions: once, k: 20, withScores: true })).toEqual(answers);
    recommender.dispose();
  },
);

test('a model whose categories have become many more since it was made opens, and answers as before', async () => {
  // 2 devices when the model is made, 22 when it is saved: by the rule their vectors would have another width.
  const sessions = FEATURE_SESSIONS.map((session, s) => ({
    ...session,
    columns: {
      ...session.columns,
      device: session.items.map(() => (s % 3 === 1 ? `device ${s}` : s % 2 ? 'desk' : 'tv')),
    },
  }));
  const folder = join(root, 'grown');
  const { targetValues } = await trainSmall('gru4rec', folder, {
    sessions,
    features: everyFeature(join(root, 'vectors.csv')),
    config: { inputs: { aggregation: 'concat', features: [{ kind: 'category', column: 'device' }] } },
    training: { epochs: 4, learningRate: 0.05 },
  });
  const recommender = Recommender.load(folder);
  const asked = sessions.filter((_, s) => s % 3 === 2);
  const answers = recommender.recommend({
    sessions: asked.map(({ items, timestampsMs, columns }) => ({
      items: items.slice(0, -1),
      timestampsMs: timestampsMs.slice(0, -1),
      columns: Object.fromEntries(Object.entries(columns).map(([name, cells]) => [name, cells.slice(0, -1)])),
    })),
    k: 20,
    withScores: true,
  });
  const targets = asked.map(({ items }) => items[items.length - 1]);
  const reciprocal = reciprocalRanks(answers, targets);
  expect(new Set(reciprocal).size).toBeGreaterThan(3);
  expect(reciprocal).toEqual([...(targetValues?.['mrr@20'] ?? [])]);
  recommender.dispose();
});
