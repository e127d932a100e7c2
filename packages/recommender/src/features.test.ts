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
    const reciprocal = answers.map(({ items }, s) => {
      const target = items.find(({ item }) => item === targets[s]);
      // A tie counts against the target.
      return target ? 1 / items.filter(({ score }) => (score as number) >= (target.score as number)).length : 0;
    });
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
