import { stringify } from 'yaml';
import type { ColumnRoles } from './guess-columns.ts';

export interface NewExperiment {
  /** Where it is written. */
  readonly file: string;
  readonly name: string;
  readonly log: string;
  readonly roles: ColumnRoles & { readonly item: string; readonly timestamp: string };
  readonly span: 'hour' | 'day' | 'week';
}

/** A commented experiment file that runs as it is. */
export function experimentText({ file, name, log, roles, span }: NewExperiment): string {
  const { session, user, item, timestamp } = roles;
  const columns = Object.entries({ session, user, item, timestamp }).filter(([, column]) => column !== undefined);
  const sessions = session
    ? ['sessions:', '  by: session', '  minLength: 2 # shorter sessions have nothing to predict']
    : [
        'sessions:',
        '  by: user # the log has no session column …',
        '  gapMinutes: 30 # … so a pause of this length begins a new session',
        '  minLength: 2 # shorter sessions have nothing to predict',
      ];
  return [
    `# Purpose: compare models on ${log}: learn ${article(span)} ${span}, evaluate on the next.`,
    '# Expected: (write the figures of the first run here)',
    `# Command: nimue run ${/\s/.test(file) ? `'${file}'` : file}`,
    `name: ${name}`,
    'dataset:',
    `  files: ${scalar(log)} # a list or a glob works too`,
    '  columns:',
    ...columns.map(([role, column]) => `    ${role}: ${scalar(column ?? '')}`),
    '  onMissing: drop # events without item, time or session are dropped and counted; `error` refuses the log',
    ...sessions,
    'windows:',
    `  span: ${span} # hour, day, week, or such as 12h and 3d`,
    '  policy: incremental # carry the weights from window to window; or sliding, expanding, frozen, leaveOneOut …',
    'models: # each is trained and evaluated on the same windows',
    '  - { name: popularity, over: lastWindow } # what every model has to beat',
    '  - { name: gru4rec, hiddenSize: 64, inputDropout: 0.1, hiddenDropout: 0.1 }',
    '  - { name: sasrec, hiddenSize: 64, maxLength: 20, dropout: 0.1 }',
    'training:',
    '  epochs: 5 # passes over each window',
    '  batchSize: 128',
    '  learningRate: 0.002',
    '  schedule: linear # falls to 0 within each window',
    'evaluation:',
    '  metrics: [ndcg@20, hr@20, mrr@20] # over the whole catalogue, the last item of each session',
    '  split: test # choose settings on `valid`, report `test`',
    'seeds: [1] # more seeds tell luck from skill',
    '',
  ].join('\n');
}

function article(span: string): string {
  return span === 'hour' ? 'an' : 'a';
}

function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trim();
}
