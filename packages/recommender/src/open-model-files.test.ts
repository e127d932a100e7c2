import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { writeUntrained } from '../test/untrained-model.ts';
import { openModelFiles, Recommender } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-files-'));
const folder = join(root, 'model');
let files: Record<string, Uint8Array> = {};
const request = { sessions: [{ items: ['i1', 'i2'] }, { items: ['i5'] }], k: 7, withScores: true };

beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
  await writeUntrained(folder, 'sasrec', { config: { hiddenSize: 4, maxLength: 3 } });
  files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
});
afterAll(() => rmSync(root, { recursive: true }));

test('a model from the bytes of its files answers as the one from its folder', async () => {
  const [opened, loaded] = [new Recommender(await openModelFiles(files)), Recommender.load(folder)];
  expect(opened.recommend(request)).toEqual(loaded.recommend(request));
  opened.dispose();
  loaded.dispose();
  expect(tf.memory().numTensors).toBe(0);
});

test('files that are missing or damaged are named', async () => {
  const { 'items.json': _, ...without } = files;
  await expect(openModelFiles(without)).rejects.toThrow(/items\.json is not there/);
  const damaged = Uint8Array.from(files['weights.safetensors']);
  damaged[damaged.length - 1] ^= 1;
  await expect(openModelFiles({ ...files, 'weights.safetensors': damaged }, 'shop')).rejects.toThrow(
    'model folder shop cannot be used: weights.safetensors is not the file that the manifest was written with',
  );
  await expect(openModelFiles({})).rejects.toThrow(/manifest\.json: it is not among the files/);
});
