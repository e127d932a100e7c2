import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createNimueContainer, servicesOf } from '@nimue/container';
import { loadExperiment } from '../src/experiment/load-experiment.ts';
import { parseSetting } from '../src/experiment/setting.ts';
import { runExperiment } from '../src/run/run-experiment.ts';

const EXPERIMENTS = fileURLToPath(new URL('../experiments', import.meta.url));
const USERS = Array.from({ length: 30 }, (_, user) => user);
const EVENTS = Array.from({ length: 8 }, (_, event) => event);

/** User u takes items u, u + 1, … of 40: the next item follows from the last. */
const itemOf = (user: number, event: number) => (user + event) % 40;

interface OriginalLog {
  /** File → text. */
  readonly files: Readonly<Record<string, string>>;
  readonly settings: readonly string[];
  readonly numTargets: number;
}

/** Made-up logs with the columns of the originals. */
const LOGS: Readonly<Record<string, OriginalLog>> = {
  // Film 10440 in place of item 5; two users have seen a single film, one of them one that nobody else has.
  'sasrec-kion.yaml': {
    files: {
      'kion/interactions.csv': `user_id,item_id,last_watch_dt,total_dur,watched_pct\n${USERS.flatMap((user) =>
        EVENTS.map((event) => `${user},${filmOf(itemOf(user, event))},2021-05-${10 + event},4250,72.0\n`),
      ).join('')}324373,10440,2021-06-24,4250,72.0\n14630,8871,2021-03-28,4250,72.0\n`,
      'kion/items_en.csv': `,item_id,content_type,title,title_orig\n${Array.from(
        { length: 40 },
        (_, item) => `${item},${filmOf(item)},film,"Фильм, ${item}","Film, ${item}"\n`,
      ).join('')}`,
    },
    settings: [],
    numTargets: 30,
  },
  // Two sessions of four tracks a user, and one of a single track; a row without a track is left out, as the original leaves it out.
  // A quote is a letter of a title.
  'sasrec-lastfm-1k.yaml': {
    files: {
      'lastfm-1k/userid-timestamp-artid-artname-traid-traname.tsv': `${USERS.flatMap((user) =>
        EVENTS.map(
          (event) =>
            `user_${user}\t2009-05-04T1${event < 4 ? 2 : 8}:0${event}:00Z\ta\tArtist\tt${itemOf(user, event)}\t12" Track\n`,
        ),
      ).join(
        '',
      )}user_1\t2009-05-04T12:30:00Z\ta\tArtist\t\tTrack\nuser_1\t2009-05-05T12:30:00Z\ta\tArtist\tt3\tTrack\n`,
    },
    settings: ['evaluation.alsoSampled=5', 'training.validateEvery=1'],
    numTargets: 60,
  },
};

function filmOf(item: number): number {
  return item === 5 ? 10440 : item;
}

describe('experiments on logs in the format of the originals', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nimue-formats-'));
    for (const [file, text] of Object.values(LOGS).flatMap(({ files }) => Object.entries(files))) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  const run = async (name: string, ...more: string[]) => {
    const services = servicesOf(createNimueContainer({ logger: { info() {}, warn() {} } }));
    const settings = ['training.epochs=2', 'models.1.hiddenSize=8', 'models.1.numBlocks=1', 'backend=cpu'];
    const experiment = await loadExperiment(join(EXPERIMENTS, name), {
      ...services,
      environment: { NIMUE_DATA: folder },
      settings: [...settings, ...LOGS[name].settings, ...more].map(parseSetting),
    });
    return runExperiment(experiment, services, {
      runsDirectory: join(folder, 'runs'),
      preparedDirectory: join(folder, 'prepared'),
    });
  };

  test('SASRec on KION, and what it recommends to a warm user and to a cold one', async () => {
    const { results, samples } = await run('sasrec-kion.yaml');
    expect(results.map(({ numTargets }) => numTargets)).toEqual([30, 30]);
    const made = samples.filter(({ title }) => title.startsWith('Made-up'));
    expect(made.map(({ visible }) => visible)).toEqual([[{ id: '10440', title: 'Film, 5' }], [{ id: '8871' }]]);
    const [warm, cold] = made.map(({ lists }) => lists.find(({ model }) => model === 'sasrec'));
    expect(warm?.items.map(({ title }) => title)).toEqual([0, 1, 2].map(() => expect.stringMatching(/^Film, \d+$/)));
    expect(warm?.items.map(({ id }) => id)).not.toContain('10440');
    expect(cold).toMatchObject({ items: [], warning: 'session 0 has no item that the model knows (8871)' });
  });

  test('SASRec on last.fm-1K: a sample of sessions, best epochs, and both ways to rank', async () => {
    const outcome = await run('sasrec-lastfm-1k.yaml');
    expect(outcome.results.map(({ numTargets }) => numTargets)).toEqual([60, 60]);
    const [, sasrec] = outcome.results;
    const labels = ['ndcg@10', 'hr@10', 'ndcg@10 of 6 sampled', 'hr@10 of 6 sampled'];
    expect(Object.keys(sasrec.metrics)).toEqual(labels);
    // Six candidates, ten places: all but what training does not know.
    expect(sasrec.numUnknownTargets).toBeGreaterThan(0);
    expect(sasrec.metrics['hr@10 of 6 sampled']).toBeCloseTo(1 - sasrec.numUnknownTargets / 60, 12);
    expect(sasrec.best?.map(({ metric, metrics }) => [metric, Object.keys(metrics)])).toEqual([
      ['ndcg@10', labels],
      ['hr@10', labels],
    ]);
    expect(outcome.curves.map(({ validation }) => Object.keys(validation ?? {}))).toEqual([
      ['ndcg@10', 'hr@10'],
      ['ndcg@10', 'hr@10'],
    ]);
    const sampled = await run('sasrec-lastfm-1k.yaml', 'sessions.sample.numSessions=20');
    // 60 of the 61 sessions are long enough to be asked for.
    expect([19, 20]).toContain(sampled.results[0].numTargets);
  });
});
