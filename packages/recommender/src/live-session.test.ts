import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { trainSmall } from '../test/train-small.ts';
import { Recommender } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'nimue-live-'));
beforeAll(async () => {
  await tf.setBackend('cpu');
  (tf.backend() as { firstUse?: boolean }).firstUse = false;
});
afterAll(() => rmSync(root, { recursive: true }));

const clicks = ['i1', 'i5', 'new', 'i2', 'i2', 'i7', 'i0', 'i3'];

test.each([
  ['sasrec', true],
  ['gru4rec', true],
  ['hstu', true],
  ['lrurec', true],
  ['narm', true],
  ['bert4rec', false],
  ['vsknn', false],
])('%s: click by click the answers are those of the whole session', async (name, remembers) => {
  const folder = join(root, name);
  const hasMaxLength = !['gru4rec', 'vsknn'].includes(name);
  const config = hasMaxLength ? { maxLength: 6 } : {};
  await trainSmall(name, folder, { config, titles: { i3: 'The third' } });
  const recommender = Recommender.load(folder);
  expect(recommender.remembersSessions).toBe(remembers);
  const live = recommender.startSession();
  const options = { k: 20, withScores: true, filterSeen: true };
  clicks.forEach((item, i) => {
    const timestampMs = Date.UTC(2024, 0, 4) + i * 90_000;
    live.add({ item, timestampMs });
    const session = {
      items: clicks.slice(0, i + 1),
      timestampsMs: clicks.slice(0, i + 1).map((_, j) => Date.UTC(2024, 0, 4) + j * 90_000),
    };
    const [whole] = recommender.recommend({ sessions: [session], ...options });
    const answer = live.recommend(options);
    expect(answer.unknownItems).toEqual(whole.unknownItems);
    const scores = new Map(whole.items.map(({ item, score }) => [item, score as number]));
    expect(answer.items.map(({ item }) => item).sort()).toEqual([...scores.keys()].sort());
    for (const { item, score, title } of answer.items) {
      expect(score).toBeCloseTo(scores.get(item) as number, 5);
      expect(title).toBe(item === 'i3' ? 'The third' : undefined);
    }
  });
  if (remembers) expect(live.numRemembered).toBe(hasMaxLength ? 6 : 7);
  expect(live.length).toBe(8);
  recommender.dispose();
  expect(tf.memory().numTensors).toBe(0);
});

test('a session may begin with events; times are given for all events or none, and never fall', async () => {
  const folder = join(root, 'times');
  await trainSmall('gru4rec', folder);
  const recommender = Recommender.load(folder);
  const live = recommender.startSession({ items: ['i1', 'i2'] });
  expect(live.recommend()).toEqual(recommender.recommend({ sessions: [{ items: ['i1', 'i2'] }] })[0]);
  expect(() => live.add({ item: 'i3', timestampMs: 5 })).toThrow(
    'event 2: give every event of the session a time, or none',
  );
  const timed = recommender.startSession({ items: ['i1'], timestampsMs: [10] });
  expect(() => timed.add({ item: 'i3', timestampMs: 5 })).toThrow(
    'its time 5 is earlier than that of the event before, 10',
  );
  expect(() => timed.add({ item: 'i3' })).toThrow('or none');
  expect(timed.length).toBe(1);
  recommender.dispose();
});
