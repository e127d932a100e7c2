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

/** Made-up logs with the columns of the originals: file → text. */
const LOGS: Readonly<Record<string, readonly [file: string, text: string, numTargets: number]>> = {
  'sasrec-kion.yaml': [
    'kion/interactions.csv',
    `user_id,item_id,last_watch_dt,total_dur,watched_pct\n${USERS.flatMap((user) =>
      EVENTS.map((event) => `${user},${itemOf(user, event)},2021-05-${10 + event},4250,72.0\n`),
    ).join('')}`,
    30,
  ],
  // Two sessions of four tracks a user; a row without a track is left out, as the original leaves it out.
  'sasrec-lastfm-1k.yaml': [
    'lastfm-1k/userid-timestamp-artid-artname-traid-traname.tsv',
    `${USERS.flatMap((user) =>
      EVENTS.map(
        (event) =>
          `user_${user}\t2009-05-04T1${event < 4 ? 2 : 8}:0${event}:00Z\ta\tArtist\tt${itemOf(user, event)}\tTrack\n`,
      ),
    ).join('')}user_1\t2009-05-04T12:30:00Z\ta\tArtist\t\tTrack\n`,
    60,
  ],
};

describe('experiments on logs in the format of the originals', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nimue-formats-'));
    for (const [file, text] of Object.values(LOGS)) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  for (const [name, [, , numTargets]] of Object.entries(LOGS)) {
    test(`${name} runs, shortened`, async () => {
      const services = servicesOf(createNimueContainer({ logger: { info() {}, warn() {} } }));
      const settings = ['training.epochs=1', 'models.1.hiddenSize=8', 'models.1.numBlocks=1', 'backend=cpu'];
      const sampled = name.includes('lastfm') ? ['evaluation.sampledNegatives=5'] : [];
      const experiment = await loadExperiment(join(EXPERIMENTS, name), {
        ...services,
        environment: { NIMUE_DATA: folder },
        settings: [...settings, ...sampled].map(parseSetting),
      });
      const outcome = await runExperiment(experiment, services, {
        runsDirectory: join(folder, 'runs'),
        preparedDirectory: join(folder, 'prepared'),
      });
      expect(outcome.results.map((result) => result.numTargets)).toEqual([numTargets, numTargets]);
    });
  }
});
