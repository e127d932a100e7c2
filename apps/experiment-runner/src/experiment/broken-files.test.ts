import { describe, expect, test } from '@jest/globals';
import { toSpecs } from '@nimue/container';
import { type ObjectiveSpec, objectives } from '@nimue/data';
import { losses } from '@nimue/losses';
import { models } from '@nimue/models';
import { parseExperiment } from './load-experiment.ts';

const catalogue = {
  models: toSpecs(models),
  losses: toSpecs(losses),
  objectives: toSpecs<ObjectiveSpec>(objectives),
  environment: {},
};

/** A right file up to its last line, which each case adds or replaces. */
const START = `name: tiny
dataset: { generated: shop }
windows: { span: day }
models: [{ name: sasrec }]
`;

function messageOf(text: string): string {
  try {
    parseExperiment('e.yaml', text, catalogue);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

test('the file that the cases add to is right itself', () => {
  expect(messageOf(START)).toBe('');
});

/** Kind of mistake, the text after the start (or, with `name:`, the whole file), place and hint. */
const CASES: readonly (readonly [what: string, text: string, place: string, hint: string])[] = [
  [
    'an anchor that contains itself',
    'sweep: &a { strategy: list, cells: [*a] }',
    '5:37',
    'an anchor that contains its own alias',
  ],
  ['an alias without an anchor', 'seeds: *numbers', '5:8', 'no anchor &numbers before it'],
  ['a tag', 'seeds: !!js/function "x"', '5:8', 'an experiment file has no tags'],
  ['a tab', 'training:\n\tepochs: 3', '6:1', 'YAML takes spaces only'],
  ['a second document', '---\nname: two', '5:1', 'an experiment file holds one'],
  ['an open bracket', 'seeds: [1, 2', '5:13', 'not valid YAML'],
  ['extends that is a number', 'extends: 3', '5:10', 'expected the path of an experiment file'],
  ['extends of a file that is not there', 'extends: [nowhere.yaml]', '5:11', 'nowhere.yaml: the file does not exist'],
  ['extends of a folder', 'extends: .', '5:10', 'this is a folder'],
  ['sweep without a strategy', 'sweep: { values: { training.epochs: [1] } }', '5:8', 'strategy'],
  ['sweep with a misspelt strategy', 'sweep: { strategy: grit, values: {} }', '5:20', "did you mean 'grid'?"],
  [
    'sweep over a path with a gap',
    'sweep: { strategy: grid, values: { training..epochs: [1] } }',
    '5:54',
    'expected a path such as training.learningRate',
  ],
  [
    'sweep over no values',
    'sweep: { strategy: grid, values: { training.epochs: [] } }',
    '5:53',
    'expected at least 1 entry',
  ],
  [
    'sweep over a value that is no list',
    'sweep: { strategy: grid, values: { training.epochs: 3 } }',
    '5:53',
    'expected a list, got 3; write [3]',
  ],
  [
    'sweep without its number of draws',
    'sweep: { strategy: random, values: { training.epochs: [1] } }',
    '5:8',
    'sweep.numCells: missing',
  ],
  [
    'sweep of a range upside down',
    'sweep: { strategy: random, numCells: 2, values: { training.learningRate: { min: 2, max: 1 } } }',
    '5:74',
    'expected min below max',
  ],
  ['sweep with no workers', 'sweep: { strategy: list, workers: 0, cells: [{}] }', '5:35', 'expected at least 1, got 0'],
  [
    'sweep with an option of another strategy',
    'sweep: { strategy: grid, values: {}, numCells: 2 }',
    '5:38',
    'it goes with strategy random',
  ],
  ['sweep without cells', 'sweep: { strategy: list, cells: [] }', '5:33', 'expected at least 1 entry'],
  [
    'halving without a largest budget',
    'sweep: { strategy: halving, numCells: 3, values: {} }',
    '5:8',
    'sweep.maxBudget: missing',
  ],
  ['yes in place of true', 'training: { sessionParallel: yes }', '5:30', "expected true or false, got 'yes'"],
  ['a share above 1', 'split: { validShare: 3 }', '5:22', 'expected at most 1, got 3'],
  ['not a number', 'training: { learningRate: .nan }', '5:27', 'expected a number'],
  ['an infinite number', 'training: { learningRate: .inf }', '5:27', 'expected a number'],
  ['a metric without k', 'evaluation: { metrics: [ndcg] }', '5:25', 'expected <name>@<k> such as ndcg@20'],
  ['an unknown metric', 'evaluation: { metrics: [ndgc@20] }', '5:25', 'with name one of'],
  ['a split that is no split', 'evaluation: { split: train }', '5:22', 'expected one of valid, test'],
  ['an unknown slice', 'evaluation: { slices: [sessionLenght] }', '5:24', "did you mean 'sessionLength'?"],
  ['a slice by a column with a slip', 'evaluation: { slices: [{ colum: device }] }', '5:26', "did you mean 'column'?"],
  ['candidates that are no rule', 'evaluation: { candidates: lastTraind }', '5:27', "did you mean 'lastTrained'?"],
  ['target events as plain text', 'evaluation: { targets: buy }', '5:24', 'expected a mapping'],
  [
    'candidates among sampled items',
    'evaluation: { sampledNegatives: 100, candidates: lastTrained }',
    '5:50',
    'does not go with sampledNegatives',
  ],
  ['an unknown optimizer', 'training: { optimizer: adm }', '5:24', "did you mean 'adam'?"],
  ['a schedule with a slip', 'training: { schedule: cosin }', '5:23', "did you mean 'cosine'?"],
  ['a negative seed', 'seeds: [-1]', '5:9', 'expected at least 0, got -1'],
  ['no seeds', 'seeds: []', '5:8', 'expected at least 1 entry'],
  ['a seed twice', 'seeds: [1, 1]', '5:12', 'in the list twice'],
  ['a fraction as a seed', 'seeds: [1.5]', '5:9', 'expected a whole number, got 1.5'],
  ['an unknown loss', 'loss: { name: crossEntrpy }', '5:15', 'crossEntropy'],
  ['negatives with a slip', 'loss: { name: bce, negatives: { name: unifrom } }', '5:39', "did you mean 'uniform'?"],
  [
    'too many negatives',
    'loss: { name: bce, negatives: { name: uniform, count: 5000 } }',
    '5:55',
    'expected at most 4096, got 5000',
  ],
  ['a loss as plain text', 'loss: crossEntropy', '5:7', "write 'name: crossEntropy'"],
  ['an unknown objective', 'objective: { name: casual }', '5:20', "did you mean 'causal'?"],
  [
    'an objective that needs more than the model has',
    'objective: { name: replacedToken }',
    '5:20',
    'it has no discriminator',
  ],
  ['a mask rate of 1', 'objective: { name: masked, maskRate: 1 }', '5:38', 'expected less than 1, got 1'],
  ['an unknown backend', 'backend: cuda', '5:10', 'expected one of auto'],
  ['a feature that does not exist', 'features: [{ name: categorify }]', '5:12', 'features[0].column: missing'],
  ['a variable that is not set', `backend: \${BACKEND}`, '5:10', 'environment variable BACKEND is not set'],
  ['a key in capitals', 'Training: { epochs: 3 }', '5:1', "did you mean 'training'?"],
  ['a key of another section', 'epochs: 3', '5:1', 'unknown key'],
  ['a section as a list', 'training: [{ epochs: 3 }]', '5:11', 'expected a mapping, got a list'],
  ['a section as a number', 'training: 3', '5:11', 'expected a mapping, got 3'],
  ['an empty section', 'training:', '5:10', 'expected a mapping, got nothing'],
  ['a gap of nothing', 'sessions: { gapMinutes: 0 }', '5:25', 'gapMinutes'],
  ['event types that are text', 'sessions: { eventTypes: view }', '5:25', 'expected a list'],
  ['a text for a number', 'sessions: { minLength: two }', '5:24', "expected a number, got 'two'"],
  ['a number in quotes', 'sessions: { minLength: "2" }', '5:24', 'remove the quotes'],
  ['a file of nothing', 'name:', '1:6', 'name: expected text, got nothing'],
  ['a list in place of a file', '- name: tiny', '1:1', 'expected a mapping, got a list'],
  [
    'no models',
    'name: t\ndataset: { generated: shop }\nwindows: { span: day }\nmodels: []',
    '4:9',
    'expected at least 1 entry',
  ],
  [
    'a model without a name',
    'name: t\ndataset: { generated: shop }\nwindows: { span: day }\nmodels: [{ hiddenSize: 3 }]',
    '4:10',
    'name',
  ],
  [
    'models as a mapping',
    'name: t\ndataset: { generated: shop }\nwindows: { span: day }\nmodels: { name: sasrec }',
    '4:9',
    'expected a list, got a mapping',
  ],
  [
    'a time zone that is none',
    'name: t\ndataset: { files: a.csv, timeZone: Mars, columns: { item: i, session: s } }\nwindows: { span: day }\nmodels: [{ name: sasrec }]',
    '2:36',
    'expected an IANA name',
  ],
  [
    'neither files nor a generator',
    'name: t\ndataset: { columns: { item: i } }\nwindows: { span: day }\nmodels: [{ name: sasrec }]',
    '2:10',
    'files',
  ],
  [
    'the label of two models',
    'name: t\ndataset: { generated: shop }\nwindows: { span: day }\nmodels: [{ name: sasrec }, { name: gru4rec, label: sasrec }]',
    '4:52',
    'give one of them another label',
  ],
];

describe('a broken file says where, what and what next', () => {
  test('there are at least 60 kinds of mistakes, each its own', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(60);
    expect(new Set(CASES.map(([what]) => what)).size).toBe(CASES.length);
  });

  for (const [what, text, place, hint] of CASES) {
    test(what, () => {
      const isWhole = /^name:|^- /.test(text);
      const message = messageOf(isWhole ? text : START + text);
      expect(message.split('\n').find((line) => line.includes(hint)) ?? message).toContain(`e.yaml:${place}: `);
      expect(message).toContain(hint);
    });
  }
});
