import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { toSpecs } from '@nimue/container';
import { datasets, filesDatasetSchema, type ObjectiveSpec, objectives, sessionsSchema } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { stringify } from 'yaml';
import { loadExperiment, parseExperiment } from './load-experiment.ts';

const catalogue = {
  models: toSpecs(models),
  losses: toSpecs(losses),
  objectives: toSpecs<ObjectiveSpec>(objectives),
  environment: {},
};
const EXPERIMENTS = fileURLToPath(new URL('../../experiments', import.meta.url));

const SHORT = `name: short
dataset: { files: "\${DATA:-data}/clicks.csv", columns: { session: s, item: i, timestamp: t } }
windows: { span: hour }
models:
  - name: popularity
  - { name: sasrec, label: small, hiddenSize: 8, training: { learningRate: 0.5 } }
training: { epochs: 7, batchSize: 16 }
`;

test('fills in every default', () => {
  const experiment = parseExperiment('short.yaml', SHORT, catalogue);
  expect(experiment).toMatchObject({
    name: 'short',
    dataset: { files: 'data/clicks.csv', onMissing: 'error' },
    sessions: { by: 'session', gapMinutes: 30, minLength: 2 },
    windows: { span: 'hour', timeZone: 'UTC' },
    policy: { policy: 'incremental', emptyWindows: 'skip' },
    split: { validShare: 0.5, seed: 0 },
    evaluation: { metrics: ['ndcg@20', 'hr@20', 'mrr@20'], split: 'test' },
    seeds: [1],
    backend: 'auto',
  });
});

test("a model's own training options lie over those of the file", () => {
  const [popularity, small] = parseExperiment('short.yaml', SHORT, catalogue).contenders;
  expect(popularity).toMatchObject({
    label: 'popularity',
    training: { epochs: 7, batchSize: 16, learningRate: 0.001 },
  });
  expect(small).toMatchObject({
    label: 'small',
    model: { name: 'sasrec', config: { hiddenSize: 8, numBlocks: 2 } },
    loss: { name: 'crossEntropy', config: { temperature: 1 } },
    training: { epochs: 7, batchSize: 16, learningRate: 0.5 },
  });
});

test('a model that is given no loss has its own; that of the file lies over it, that of the entry over both', () => {
  const lossesOf = (entry: string, more = '') =>
    parseExperiment('e.yaml', SHORT.replace('  - name: popularity', `  - ${entry}`) + more, catalogue).contenders.map(
      ({ loss }) => loss.name,
    );
  expect(lossesOf('name: gsasrec')).toEqual(['gbce', 'crossEntropy']);
  expect(lossesOf('name: gsasrec', 'loss: { name: bce }\n')).toEqual(['bce', 'bce']);
  expect(lossesOf('{ name: gsasrec, loss: { name: bpr } }', 'loss: { name: bce }\n')).toEqual(['bpr', 'bce']);
  const [gsasrec] = parseExperiment('e.yaml', SHORT.replace('name: popularity', 'name: gsasrec'), catalogue).contenders;
  expect(gsasrec.loss.config).toMatchObject({
    calibration: 0.75,
    negatives: { name: 'uniform', count: 256, per: 'position' },
  });
});

test('only variables that the file names are read', () => {
  const { dataset } = parseExperiment('short.yaml', SHORT, {
    ...catalogue,
    environment: { DATA: '/logs', HOME: '/x' },
  });
  expect(dataset).toMatchObject({ files: '/logs/clicks.csv' });
});

test('the resolved experiment reads as the same experiment', () => {
  const experiment = parseExperiment('short.yaml', SHORT, catalogue);
  expect(parseExperiment('resolved.yaml', stringify(experiment.resolved), catalogue)).toEqual(experiment);
});

test('a missing file is named', async () => {
  await expect(loadExperiment('nowhere.yaml', catalogue)).rejects.toThrow(
    new Error('nowhere.yaml: the file does not exist; expected an experiment file'),
  );
});

describe('the experiments that come with the runner', () => {
  test('are all valid and open with purpose, figures, duration and command', async () => {
    const names = await readdir(EXPERIMENTS);
    expect(names.sort()).toEqual([
      'amazon-beauty-softmax.yaml',
      'amazon-beauty.yaml',
      'bert4rec-movielens.yaml',
      'eshop-daily.yaml',
      'features.yaml',
      'generated-shop-hourly.yaml',
      'generated-shop-large.yaml',
      'generated-shop.yaml',
      'globo-380-hours-gru.yaml',
      'globo-380-hours-side-information.yaml',
      'globo-380-hours-xlnet.yaml',
      'globo-380-hours.yaml',
      'globo-48-hours-gru.yaml',
      'globo-48-hours-transformers.yaml',
      'globo-first-48-hours.yaml',
      'globo-policies.yaml',
      'gru4rec-electronics.yaml',
      'lastfm-artists.yaml',
      'losses.yaml',
      'ml-1m-bert4rec.yaml',
      'ml-1m-esasrec.yaml',
      'ml-1m-gru4rec.yaml',
      'ml-1m-gsasrec.yaml',
      'ml-1m-hstu.yaml',
      'ml-1m-losses.yaml',
      'ml-1m.yaml',
      'movielens-gru.yaml',
      'multi-task.yaml',
      'neural-models.yaml',
      'quickstart.yaml',
      'rees46-daily.yaml',
      'sasrec-kion.yaml',
      'sasrec-lastfm-1k.yaml',
      'transformers4rec-g1-hourly-from-scratch.yaml',
      'transformers4rec-g1-hourly.yaml',
      'transformers4rec-tutorial.yaml',
      'yoochoose-1-64.yaml',
    ]);
    for (const name of names) {
      const experiment = await loadExperiment(join(EXPERIMENTS, name), catalogue);
      expect(`${experiment.name}.yaml`).toBe(name);
      const header = (await readFile(join(EXPERIMENTS, name), 'utf8')).split('\nname:')[0];
      for (const word of ['# Purpose:', '# Expected:', '# Duration:', '# Command:']) expect(header).toContain(word);
    }
  });

  test('the Globo experiment reads the log as the data package describes it', async () => {
    const { dataset, sessions } = await loadExperiment(join(EXPERIMENTS, 'globo-first-48-hours.yaml'), {
      ...catalogue,
      environment: { NIMUE_DATA: 'logs' },
    });
    expect(dataset).toEqual(filesDatasetSchema.parse(datasets.globo.dataset('logs')));
    expect(sessions).toEqual(sessionsSchema.parse(datasets.globo.sessions));
  });

  test('a ready-made data set brings its sessions and windows; what the file says takes precedence', () => {
    const text = (rest: string) =>
      `name: x\ndataset: { spec: retailrocket, path: logs }\n${rest}models: [{ name: popularity }]\n`;
    const { dataset, sessions, windows } = parseExperiment('x.yaml', text('sessions: { minLength: 3 }\n'), catalogue);
    expect(dataset).toEqual(filesDatasetSchema.parse(datasets.retailrocket.dataset('logs')));
    expect(sessions).toEqual(sessionsSchema.parse({ ...datasets.retailrocket.sessions, minLength: 3 }));
    expect(windows.span).toBe('day');
    const wrong =
      'name: x\ndataset: { spec: retailrokket, path: logs }\nwindows: { span: day }\nmodels: [{ name: popularity }]\n';
    expect(() => parseExperiment('x.yaml', wrong, catalogue)).toThrow(/x.yaml:2:18: dataset.spec/);
    expect(() => parseExperiment('x.yaml', text('').replace('path', 'paths'), catalogue)).toThrow(
      "did you mean 'path'",
    );
  });
});
