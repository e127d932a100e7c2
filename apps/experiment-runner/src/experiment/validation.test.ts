import { describe, expect, test } from '@jest/globals';
import { toSpecs } from '@nimue/container';
import { type ObjectiveSpec, objectives } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { parseExperiment } from './load-experiment.ts';
import { parseSetting } from './setting.ts';

const catalogue = {
  models: toSpecs(models),
  losses: toSpecs(losses),
  objectives: toSpecs<ObjectiveSpec>(objectives),
  environment: { DATA: 'data' },
};

/** The models that are trained, as a message lists them. */
const NEURAL = Object.entries(models)
  .filter(([, { kind }]) => kind === 'neural')
  .map(([name]) => `name ${name}`)
  .join(' or ');

/** A file that is right; the cases below break one line of it each. */
const GOOD = `name: tiny
dataset: { generated: shop, days: 4 }
sessions: { by: session, minLength: 2 }
windows: { span: day, policy: sliding, size: 2 }
models:
  - name: popularity
  - name: gru4rec
    hiddenSize: 8
  - name: sasrec
    training: { epochs: 2 }
loss: { name: crossEntropy }
training:
  epochs: 1
  learningRate: 0.01
evaluation: { metrics: [ndcg@20, hr@20], split: test }
seeds: [1]
backend: cpu
`;

function problemsOf(text: string, settings: readonly string[] = []): string {
  try {
    parseExperiment('e.yaml', text, { ...catalogue, settings: settings.map(parseSetting) });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

test('the file that the cases break is right itself', () => {
  expect(problemsOf(GOOD)).toBe('');
});

describe('one broken line', () => {
  const cases: readonly (readonly [what: string, line: string, broken: string, expected: string])[] = [
    ['misspelt section', 'training:', 'trainng:', "e.yaml:12:1: trainng: unknown key; did you mean 'training'?"],
    [
      'unknown section',
      'seeds: [1]',
      'gpu: 3',
      'e.yaml:16:1: gpu: unknown key; expected one of backend, checkpoints, dataset, evaluation, features, loss, models, name, objective, report, seeds, sessions, split, sweep, training, windows',
    ],
    [
      'name missing',
      'name: tiny',
      'seed: 1',
      "e.yaml:1:1: name: missing; expected text\ne.yaml:1:1: seed: unknown key; did you mean 'seeds'?",
    ],
    [
      'name that is no folder name',
      'name: tiny',
      'name: ../tiny',
      "e.yaml:1:7: name: expected letters, digits, dots, dashes and underscores only: it names the folder of the runs, got '../tiny'",
    ],
    ['number as a name', 'name: tiny', 'name: 7', 'e.yaml:1:7: name: expected text, got 7'],
    [
      'dataset that is text',
      'dataset: { generated: shop, days: 4 }',
      'dataset: shop',
      "e.yaml:2:10: dataset: expected a mapping with 'files' and 'columns', with 'spec' and 'path', or with 'generated', got 'shop'",
    ],
    [
      'unknown generator',
      'dataset: { generated: shop, days: 4 }',
      'dataset: { generated: shp }',
      "e.yaml:2:23: dataset.generated: expected shop, got 'shp'; did you mean 'shop'?",
    ],
    [
      'misspelt generator option',
      'dataset: { generated: shop, days: 4 }',
      'dataset: { generated: shop, dayz: 4 }',
      "e.yaml:2:29: dataset.dayz: unknown key; did you mean 'days'?",
    ],
    [
      'generator option of the wrong type',
      'dataset: { generated: shop, days: 4 }',
      'dataset: { generated: shop, days: many }',
      "e.yaml:2:35: dataset.days: expected a number, got 'many'",
    ],
    [
      'date in another form',
      'dataset: { generated: shop, days: 4 }',
      'dataset: { generated: shop, startDate: 1.2.2024 }',
      "e.yaml:2:40: dataset.startDate: expected a date such as 2024-01-31, got '1.2.2024'",
    ],
    [
      'columns missing',
      'dataset: { generated: shop, days: 4 }',
      'dataset: { files: clicks.csv }',
      'e.yaml:2:10: dataset.columns: missing; expected a mapping',
    ],
    [
      'item column missing',
      'dataset: { generated: shop, days: 4 }',
      'dataset: { files: clicks.csv, columns: { session: s, timestamp: t } }',
      'e.yaml:2:40: dataset.columns.item: missing; expected text',
    ],
    [
      'misspelt column role',
      'dataset: { generated: shop, days: 4 }',
      'dataset: { files: a.csv, columns: { sesion: s, item: i, timestamp: t } }',
      "e.yaml:2:37: dataset.columns.sesion: unknown key; did you mean 'session'?",
    ],
    [
      'unknown format',
      'dataset: { generated: shop, days: 4 }',
      'dataset: { files: a.csv, format: cvs, columns: { session: s, item: i, timestamp: t } }',
      "e.yaml:2:34: dataset.format: expected one of csv, tsv, parquet, arrow, jsonl, sequences, got 'cvs'; did you mean 'csv'?",
    ],
    [
      'files that are a number',
      'dataset: { generated: shop, days: 4 }',
      'dataset: { files: 3, columns: { session: s, item: i, timestamp: t } }',
      'e.yaml:2:19: dataset.files: expected text or a list, got 3',
    ],
    [
      'variable that is not set',
      'dataset: { generated: shop, days: 4 }',
      `dataset: { files: "\${NOWHERE}/a.csv", columns: { session: s, item: i, timestamp: t } }`,
      `e.yaml:2:19: environment variable NOWHERE is not set; set it, or write \${NOWHERE:-default}`,
    ],
    [
      'choice with a slip',
      'sessions: { by: session, minLength: 2 }',
      'sessions: { by: sesion }',
      "e.yaml:3:17: sessions.by: expected one of session, user, got 'sesion'; did you mean 'session'?",
    ],
    [
      'number below its limit',
      'sessions: { by: session, minLength: 2 }',
      'sessions: { minLength: 0 }',
      'e.yaml:3:24: sessions.minLength: expected at least 1, got 0',
    ],
    [
      'windows missing',
      'windows: { span: day, policy: sliding, size: 2 }',
      '',
      'e.yaml:1:1: windows: missing; expected a mapping',
    ],
    [
      'unknown policy',
      'windows: { span: day, policy: sliding, size: 2 }',
      'windows: { span: day, policy: rolling }',
      "e.yaml:4:31: windows.policy: expected one of incremental, replay, sliding, expanding, frozen, leaveOneOut, lastN, globalTime, timeRange, got 'rolling'",
    ],
    [
      'option of another policy',
      'windows: { span: day, policy: sliding, size: 2 }',
      'windows: { span: day, size: 2 }',
      'e.yaml:4:23: windows.size: does not belong here; it goes with policy sliding or policy frozen',
    ],
    [
      'a span of nothing',
      'windows: { span: day, policy: sliding, size: 2 }',
      'windows: { span: fortnight }',
      "e.yaml:4:18: windows.span: expected hour, day, week, all, such as '12h' or '3d', { cuts: […] } or { testSize: 7d, numFolds: 3 }, got 'fortnight'",
    ],
    [
      'folds without a number',
      'windows: { span: day, policy: sliding, size: 2 }',
      'windows: { span: { testSize: 7d } }',
      'e.yaml:4:18: windows.span.numFolds: missing; expected a number',
    ],
    [
      'windows for a policy that holds out',
      'windows: { span: day, policy: sliding, size: 2 }',
      'windows: { span: day, policy: leaveOneOut }',
      "e.yaml:4:18: windows.span: expected all, got 'day'",
    ],
    [
      'a cut that is no share',
      'windows: { span: day, policy: sliding, size: 2 }',
      'windows: { policy: globalTime, validFrom: 1.5, testFrom: 0.9 }',
      'e.yaml:4:43: windows.validFrom: expected less than 1, got 1.5',
    ],
    [
      'misspelt feature',
      'seeds: [1]',
      'features: [{ name: catgorify, column: category }]',
      "e.yaml:16:20: features[0].name: expected one of bucketise, categorify, cyclicTime, elapsed, itemRecency, log, minMax, popularitySoFar, pretrainedVectors, relativePrice, standardise, targetStatistic, got 'catgorify'; did you mean 'categorify'?",
    ],
    [
      'misspelt option of a feature',
      'seeds: [1]',
      'features: [{ name: categorify, colum: category }]',
      "e.yaml:16:12: features[0].column: missing; expected text\ne.yaml:16:32: features[0].colum: unknown key; did you mean 'column'?",
    ],
    [
      'buckets without a number',
      'seeds: [1]',
      'features: [{ name: bucketise, column: price }]',
      "e.yaml:16:12: features[0]: give either 'boundaries' or 'numBuckets', got a mapping",
    ],
    [
      'size missing',
      'windows: { span: day, policy: sliding, size: 2 }',
      'windows: { span: day, policy: sliding }',
      'e.yaml:4:10: windows.size: missing; expected a number',
    ],
    [
      'unknown model',
      '  - name: gru4rec',
      '  - name: gru4rc',
      `e.yaml:7:11: models[1].name: expected one of ${Object.keys(models).sort().join(', ')}, got 'gru4rc'; did you mean 'gru4rec'?`,
    ],
    [
      'model as plain text',
      '  - name: popularity',
      '  - popularity',
      "e.yaml:6:5: models[0]: expected a mapping, got 'popularity'; write 'name: popularity'",
    ],
    [
      'misspelt model option',
      '    hiddenSize: 8',
      '    hidenSize: 8',
      "e.yaml:8:5: models[1].hidenSize: unknown key; did you mean 'hiddenSize'?",
    ],
    [
      'option of another model',
      '  - name: popularity',
      '  - { name: popularity, hiddenSize: 8 }',
      `e.yaml:6:25: models[0].hiddenSize: does not belong here; it goes with ${NEURAL}`,
    ],
    [
      'training of a model that counts',
      '  - name: popularity',
      '  - { name: popularity, training: { epochs: 2 } }',
      `e.yaml:6:25: models[0].training: does not belong here; it goes with ${NEURAL}`,
    ],
    [
      'quoted number',
      '    hiddenSize: 8',
      '    hiddenSize: "8"',
      "e.yaml:8:17: models[1].hiddenSize: expected a number, got '8'; remove the quotes",
    ],
    [
      'fraction',
      '    hiddenSize: 8',
      '    hiddenSize: 8.5',
      'e.yaml:8:17: models[1].hiddenSize: expected a whole number, got 8.5',
    ],
    [
      'empty value',
      '    hiddenSize: 8',
      '    hiddenSize:',
      'e.yaml:8:16: models[1].hiddenSize: expected a number, got nothing',
    ],
    [
      'options that do not go together',
      '  - name: sasrec',
      '  - name: sasrec\n    numHeads: 3',
      'e.yaml:10:15: models[2].numHeads: hiddenSize must be a multiple of numHeads, got 3',
    ],
    [
      'misspelt option of the override',
      '    training: { epochs: 2 }',
      '    training: { epoch: 2 }',
      "e.yaml:10:17: models[2].training.epoch: unknown key; did you mean 'epochs'?",
    ],
    [
      'the same model twice',
      '  - name: popularity',
      '  - name: sasrec',
      "e.yaml:9:11: models[2].name: 'sasrec' is also what models[0] is called; give one of them another label",
    ],
    [
      'label of the generator',
      '  - name: popularity',
      '  - { name: popularity, label: oracle }',
      "e.yaml:6:32: models[0].label: 'oracle' is the row of the generator itself; choose another label",
    ],
    [
      'unknown objective',
      'loss: { name: crossEntropy }',
      'objective: { name: maskd }',
      "e.yaml:11:20: objective.name: expected one of causal, lastItem, masked, permutation, replacedToken, got 'maskd'; did you mean 'masked'?",
    ],
    [
      'option of another objective',
      'loss: { name: crossEntropy }',
      'objective: { name: causal, maskRate: 0.2 }',
      'e.yaml:11:28: objective.maskRate: does not belong here; it goes with name masked or name replacedToken',
    ],
    [
      'an objective that a model would see the answers of',
      '  - name: popularity',
      '  - { name: bert4rec, objective: { name: causal } }',
      "e.yaml:6:42: models[0].objective.name: 'causal' does not go with bert4rec, whose attention is bidirectional: a position would see the items after it, and so its own target; for this model choose lastItem or masked",
    ],
    [
      'replaced items for a model that cannot tell them',
      '  - name: popularity',
      '  - { name: bert, objective: { name: replacedToken } }',
      "e.yaml:6:38: models[0].objective.name: 'replacedToken' does not go with bert, whose attention is bidirectional: it has no discriminator to tell replaced items from true ones; for this model choose lastItem or masked",
    ],
    [
      'an objective of all models that does not fit one of them',
      'loss: { name: crossEntropy }',
      'objective: { name: permutation }',
      "e.yaml:11:20: objective.name: 'permutation' does not go with gru4rec, whose attention is causal: it would see the items that are to be predicted, because they are among its inputs; for this model choose causal or lastItem or masked (objective beside its name)\ne.yaml:11:20: objective.name: 'permutation' does not go with sasrec, whose attention is causal: it would see the items that are to be predicted, because they are among its inputs; for this model choose causal or lastItem or masked (objective beside its name)",
    ],
    [
      'unknown loss',
      'loss: { name: crossEntropy }',
      'loss: { name: crossentropy }',
      "e.yaml:11:15: loss.name: expected one of bce, binary, bpr, bprMax, crossEntropy, gbce, inBatchSoftmax, regression, sampledSoftmax, top1, top1Max, weightedSum, got 'crossentropy'; did you mean 'crossEntropy'?",
    ],
    [
      'NaN',
      '  learningRate: 0.01',
      '  learningRate: .nan',
      'e.yaml:14:17: training.learningRate: expected a number, got NaN',
    ],
    [
      'zero where more is needed',
      '  learningRate: 0.01',
      '  learningRate: 0',
      'e.yaml:14:17: training.learningRate: expected more than 0, got 0',
    ],
    [
      'key twice',
      '  learningRate: 0.01',
      '  epochs: 3',
      "e.yaml:14:3: key 'epochs' stands here a second time; remove one",
    ],
    [
      'metric without k',
      'evaluation: { metrics: [ndcg@20, hr@20], split: test }',
      'evaluation: { metrics: [ndcg] }',
      "e.yaml:15:25: evaluation.metrics[0]: expected <name>@<k> such as ndcg@20, with name one of coverage, diversity, entropy, gini, hr, map, mrr, ndcg, novelty, popularity, popularityLift, precision, rbp, recall, serendipity, got 'ndcg'",
    ],
    [
      'no metric',
      'evaluation: { metrics: [ndcg@20, hr@20], split: test }',
      'evaluation: { metrics: [] }',
      'e.yaml:15:24: evaluation.metrics: expected at least 1 entry, got an empty list',
    ],
    ['one value instead of a list', 'seeds: [1]', 'seeds: 1', 'e.yaml:16:8: seeds: expected a list, got 1; write [1]'],
    [
      'seed twice',
      'seeds: [1]',
      'seeds: [1, 2, 1]',
      'e.yaml:16:15: seeds[2]: seed 1 is in the list twice; every seed runs once',
    ],
    [
      'unknown backend',
      'backend: cpu',
      'backend: cuda',
      "e.yaml:17:10: backend: expected one of auto, tensorflow-gpu, native, tensorflow, wasm, cpu, got 'cuda'",
    ],
    ['tab', '  epochs: 1', '\tepochs: 1', 'e.yaml:13:1: a tab indents this line; YAML takes spaces only'],
    [
      'bracket left open',
      'seeds: [1]',
      'seeds: [1',
      'e.yaml:17:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    [
      'code in a tag',
      'name: tiny',
      'name: !!js/function tiny',
      'e.yaml:1:7: Unresolved tag: tag:yaml.org,2002:js/function; an experiment file has no tags, remove it',
    ],
    [
      'second document',
      'seeds: [1]',
      '---\nseeds: [1]',
      "e.yaml:16:1: a second document begins here ('---'); an experiment file holds one",
    ],
    ['alias without anchor', 'seeds: [1]', 'seeds: *all', 'e.yaml:16:8: the alias *all has no anchor &all before it'],
  ];

  test.each(cases)('%s', (_, line, broken, expected) => {
    expect(GOOD).toContain(`${line}\n`);
    expect(problemsOf(GOOD.replace(`${line}\n`, `${broken}\n`))).toBe(expected);
  });
});

test('all problems at once, in order of position, settings last', () => {
  const text = GOOD.replace('days: 4', 'dys: 4')
    .replace('split: test', 'splitt: test')
    .replace('epochs: 1', 'epochs: no');
  expect(problemsOf(text, ['training.batchSize=-1']).split('\n')).toEqual([
    "e.yaml:2:29: dataset.dys: unknown key; did you mean 'days'?",
    "e.yaml:13:11: training.epochs: expected a number, got 'no'",
    "e.yaml:15:42: evaluation.splitt: unknown key; did you mean 'split'?",
    '--set training.batchSize=-1: training.batchSize: expected at least 1, got -1',
  ]);
});

test('anchors that unfold into masses are refused, a few are fine', () => {
  const row = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(', ')}]`;
  const bomb = ['x: &x [1]', row('a', '*x'), row('b', '*a'), row('c', '*b'), row('d', '*c')].join('\n');
  expect(problemsOf(bomb)).toBe(
    'e.yaml:2:8: anchors and aliases would unfold into more than 100 copies; write the values out',
  );
  const few = GOOD.replace('epochs: 2', 'epochs: &few 2').replace('  epochs: 1', '  epochs: *few');
  expect(problemsOf(few)).toBe('');
});

describe('--set', () => {
  const parse = (...settings: string[]) =>
    parseExperiment('e.yaml', GOOD, { ...catalogue, settings: settings.map(parseSetting) });

  test('takes precedence over the file, the last one wins', () => {
    const experiment = parse('training.learningRate=1e-3', 'models.1.hiddenSize=4', 'seeds=[1, 2]', 'seeds=[3]');
    expect(experiment.contenders[1].training.learningRate).toBe(0.001);
    expect(experiment.contenders[1].model.config).toMatchObject({ hiddenSize: 4 });
    expect(experiment.seeds).toEqual([3]);
  });

  test('adds sections and keys that the file does not have', () => {
    expect(parse('split.seed=5').split).toEqual({ by: 'session', validShare: 0.5, seed: 5 });
  });

  test.each([
    [
      'training.learningRte=1',
      "--set training.learningRte=1: training.learningRte: unknown key; did you mean 'learningRate'?",
    ],
    [
      'models.7.hiddenSize=4',
      '--set models.7.hiddenSize=4: models[7].hiddenSize: entry 7 does not exist; the list has entries 0 … 2',
    ],
    ['name.x=4', '--set name.x=4: name.x: expected path=value, got a path below the value "tiny"'],
    ['seeds=[1', '--set seeds=[1: seeds: the value "[1" is not valid YAML'],
    ['epochs', '--set epochs: expected path=value, such as training.learningRate=0.001'],
    ['=3', '--set =3: expected path=value, such as training.learningRate=0.001'],
  ])('%s', (setting, message) => {
    expect(() => parse(setting)).toThrow(new Error(message));
  });
});

describe('inputs of a model', () => {
  const withInput = (input: string, rest = '') =>
    GOOD.replace('    hiddenSize: 8\n', `    hiddenSize: 8\n    inputs: { ${rest}features: [${input}] }\n`).concat(
      'features: [{ name: categorify, column: category }, { name: log, column: price }]\n',
    );

  test.each([
    ['{ kind: category, column: category, role: item }', '', ''],
    ['{ kind: projection, column: log_price }', 'aggregation: sum, ', ''],
    [
      '{ kind: category, column: categry }',
      '',
      "e.yaml:9:52: models[1].inputs.features[0].column: no feature 'categry' for kind: category; expected one of category; did you mean 'category'?",
    ],
    [
      '{ kind: scalar, column: category }',
      '',
      "e.yaml:9:50: models[1].inputs.features[0].column: 'category' is a category, but kind: scalar reads a number",
    ],
    [
      '{ kind: vector, column: text }',
      '',
      "e.yaml:9:50: models[1].inputs.features[0].column: no feature 'text' for kind: vector; the features section makes none",
    ],
    [
      '{ kind: scalr, column: price }',
      '',
      "e.yaml:9:34: models[1].inputs.features[0].kind: expected one of category, projection, scalar, softOneHot, timeInterval, vector, got 'scalr'; did you mean 'scalar'?",
    ],
    [
      '{ kind: scalar, column: log_price }',
      'aggregation: sum, ',
      "e.yaml:9:52: models[1].inputs.features[0].kind: a single number does not have the item's width, which aggregation: sum needs; choose kind: projection or softOneHot, got 'scalar'",
    ],
  ])('%s', (input, rest, expected) => {
    expect(problemsOf(withInput(input, rest))).toBe(expected);
  });

  test('new items cannot start from features that describe no item', () => {
    expect(problemsOf(GOOD.replace('  epochs: 1\n', '  epochs: 1\n  newItems: features\n'))).toContain(
      'models[1].name: new items cannot start from features in gru4rec: no input has the role item (training.newItems)',
    );
  });
});

test('every position is not asked for where a policy holds out the last event alone', () => {
  const text = GOOD.replace(
    'windows: { span: day, policy: sliding, size: 2 }',
    'windows: { policy: leaveOneOut }',
  ).replace('split: test }', 'split: test, positions: every }');
  expect(problemsOf(text)).toBe(
    "e.yaml:15:66: evaluation.positions: 'every' would ask for events that were trained on: windows.policy leaveOneOut holds " +
      "out the end of a sequence alone; choose 'last', or a policy of whole windows such as incremental",
  );
});
