import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentedExamples, runExample } from '@nimue/testing';
import * as tf from '@tensorflow/tfjs';
import { writeUntrained } from '../test/untrained-model.ts';
import { clusterSearch, hnswSearch, Recommender } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-readme-'));
const folder = join(root, 'model');
beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
  // Its items are called i0 … i19.
  await writeUntrained(folder, 'sasrec', { config: { hiddenSize: 8 }, titles: { i3: 'Lamp' } });
});
afterAll(() => rmSync(root, { recursive: true }));

const examples = documentedExamples(new URL('.', import.meta.url)).filter(({ name }) => name.startsWith('README'));

test.each(examples.map(({ name, code }) => [name, code]))('%s', async (_name, code) => {
  const recommender = Recommender.load(folder);
  expect(await runExample(code, { Recommender, clusterSearch, hnswSearch, recommender, folder })).toBeGreaterThan(0);
  recommender.dispose();
});
